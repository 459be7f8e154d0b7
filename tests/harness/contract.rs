//! The API's description of itself, held against every answer that a test gets: its status is listed, its headers are there,
//! and its body fits the schema.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};

use crate::Reply;

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| api::description(None));

/// Compiled schemas, by where they stand in the description.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// What becomes of requests before they reach an operation, whichever it is.
const BEFORE: [u16; 7] = [400, 404, 405, 406, 414, 415, 429];

/// Asserts that the description tells of such an answer.
#[track_caller]
pub(crate) fn keeps(method: &Method, path: &str, reply: &Reply) {
    let Some((pattern, operation)) = operation(method, path) else {
        // Under `/v1/test` are routes of the tests' own.
        let known = !path.starts_with("/v1/")
            || path.starts_with("/v1/test/")
            || BEFORE.contains(&reply.status())
            || *method == Method::OPTIONS;
        assert!(known, "{}: {} of an operation that is not described", reply.request(), reply.status());
        return;
    };
    let place = format!("{} {pattern} {}", method.as_str(), reply.status());
    let response = followed(&operation["responses"][reply.status().to_string()]);
    if response.is_null() && reply.status() == 415 {
        return;
    }
    assert!(!response.is_null(), "{}: the description has no {place}: {}", reply.request(), reply.text());
    for (header, described) in response["headers"].as_object().into_iter().flatten() {
        let required = followed(described)["required"] == true;
        assert!(!required || reply.header(header).is_some(), "{}: {place} has no {header}", reply.request());
    }
    let Some((media, content)) = response["content"].as_object().and_then(|content| content.iter().next()) else {
        assert!(reply.text().is_empty(), "{}: {place} has a body: {}", reply.request(), reply.text());
        return;
    };
    if *method == Method::HEAD {
        return;
    }
    assert_eq!(reply.header("content-type"), Some(media.as_str()), "{}: {place}", reply.request());
    // What is no document of JSON has no schema to speak of.
    if media.starts_with("text/") || media == "application/x-ndjson" {
        return;
    }
    let (validator, body) = (validator(&place, &content["schema"]), reply.json());
    let faults: Vec<String> =
        validator.iter_errors(&body).map(|fault| format!("{} at {}", fault, fault.instance_path())).collect();
    assert!(faults.is_empty(), "{}: {place} is not as described: {faults:?}: {body}", reply.request());
}

/// The operation that answers a request, and its path with names for what varies.
fn operation(method: &Method, path: &str) -> Option<(&'static str, &'static Value)> {
    let method = if *method == Method::HEAD { "get".to_owned() } else { method.as_str().to_lowercase() };
    let given: Vec<&str> = path.split('/').collect();
    let fits = |pattern: &str| {
        let known: Vec<&str> = pattern.split('/').collect();
        let same = |(known, given): (&&str, &&str)| known == given || known.starts_with('{');
        known.len() == given.len() && known.iter().zip(&given).all(same)
    };
    let found = DESCRIPTION["paths"].as_object().unwrap().iter().filter(|(pattern, _)| fits(pattern));
    // The most literal one, as the router prefers it.
    let (pattern, item) = found.min_by_key(|(pattern, _)| pattern.matches('{').count())?;
    Some((pattern, item.get(&method)?))
}

/// What a reference refers to.
fn followed(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(place) => DESCRIPTION.pointer(place.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

fn validator(place: &str, schema: &Value) -> Arc<Validator> {
    let mut known = VALIDATORS.lock().unwrap();
    let validator = known.entry(place.to_owned()).or_insert_with(|| {
        let whole = json!({ "allOf": [schema], "components": DESCRIPTION["components"] });
        Arc::new(jsonschema::options().should_validate_formats(true).build(&whole).unwrap())
    });
    Arc::clone(validator)
}
