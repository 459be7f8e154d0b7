//! The API's description of itself: `OpenAPI` 3.1, made by asking the types of the handlers that are mounted (docs/adr/0020).

mod about;
mod codes;
mod parts;
mod refusals;
mod samples;
mod schemas;
mod shows;
mod sketch;

use std::collections::BTreeSet;

use common::input::FieldFault;
use rocket::{Route, http::Method};
use serde_json::{Map, Value, json};

use schemas::Schemas;
pub(crate) use sketch::{Sketch, describer};

/// A chapter of the table of contents.
pub(crate) struct Chapter {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) operations: Vec<Operation>,
}

/// A line of it: a route, and how its handler describes itself.
pub(crate) struct Operation {
    pub(crate) base: &'static str,
    pub(crate) route: Route,
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) describe: fn(&mut Sketch),
}

/// Writes the table of contents: chapters, and under each mount its handlers with what they do in a few words. Routes and
/// description are made from the same lines, so there is none without the other.
macro_rules! contents {
    ($($name:literal: $about:literal { $($base:literal: $($module:ident::$handler:ident $summary:literal),+;)+ })+) => {
        pub(crate) fn contents() -> Vec<crate::openapi::Chapter> {
            vec![$(crate::openapi::Chapter {
                name: $name,
                about: $about,
                operations: vec![$($(crate::openapi::Operation {
                    base: $base,
                    route: $module::$handler {}.into_route(),
                    id: concat!(stringify!($module), "_", stringify!($handler)),
                    summary: $summary,
                    describe: crate::openapi::describer(&$module::$handler),
                }),+),+],
            }),+]
        }
    };
}
pub(crate) use contents;

/// What the whole is about.
const ABOUT: &str = "\
To-do lists for organizations: projects, tasks, and reminders that arrive.

Every answer is JSON. Whatever is not a 2xx is a problem document (RFC 9457) with a `code` that does not change. Times are UTC.
The path names the organization, by its slug or its id. A field or parameter that is not known here is refused.";

/// The whole document. Addresses are relative to where it comes from, and `home` is where the deployment says it lives.
pub(crate) fn document(contents: &[Chapter], home: Option<&str>) -> Value {
    let mut sketches: Vec<(&Chapter, &Operation, Sketch)> = Vec::new();
    for chapter in contents {
        for operation in &chapter.operations {
            let mut sketch = Sketch::default();
            (operation.describe)(&mut sketch);
            sketches.push((chapter, operation, sketch));
        }
    }
    let schemas = put_right(&mut sketches);
    let mut paths = Map::new();
    for (chapter, operation, sketch) in &sketches {
        let (path, described) = (path_of(operation), operation_of(chapter, operation, sketch, &schemas));
        let method = operation.route.method.as_str().to_lowercase();
        sketch::object(paths.entry(path).or_insert(Value::Null)).insert(method, described);
    }
    tell_places(&mut paths);
    let components = used(schemas, &paths);
    // Paths begin with a slash.
    let home = home.map(|url| url.trim_end_matches('/'));
    let servers: Vec<Value> = ["/"].into_iter().chain(home).map(|url| json!({ "url": url })).collect();
    let tags: Vec<Value> =
        contents.iter().map(|chapter| json!({ "name": chapter.name, "description": chapter.about })).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Taskbell",
            "description": ABOUT,
            "version": env!("CARGO_PKG_VERSION"),
            "contact": { "name": "The Taskbell authors" },
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": servers,
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": refusals::responses(),
            "headers": refusals::all_headers(),
            "parameters": refusals::parameters(),
            "securitySchemes": { "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "The token of a session (`tbs_…`, from `POST /v1/sessions`) or a personal one (`tbl_…`).",
            } },
        },
    })
}

/// Of what is created it is told where it is, where it can be asked for there.
fn tell_places(paths: &mut Map<String, Value>) {
    let shown = paths.iter().filter(|(_, item)| item.get("get").is_some());
    let places: Vec<String> = shown.map(|(path, _)| path.clone()).collect();
    let below = |place: &str, path: &str| place.rsplit_once("/{").is_some_and(|(before, _)| before == path);
    for (path, item) in paths.iter_mut() {
        let created = item.pointer_mut("/post/responses/201/headers").and_then(Value::as_object_mut);
        if let Some(headers) = created.filter(|_| places.iter().any(|place| below(place, path))) {
            headers.append(sketch::object(&mut refusals::headers(&["Location"])));
        }
    }
}

/// The schemas of all operations, after their readers were asked.
fn put_right(sketches: &mut [(&Chapter, &Operation, Sketch)]) -> Schemas {
    let mut fault = Sketch::default();
    fault.refer::<FieldFault>();
    let mut schemas = fault.schemas;
    for (.., sketch) in sketches.iter_mut() {
        schemas.append(&mut sketch.schemas);
    }
    schemas::unwrap_fields(&mut schemas);
    schemas::modernize(&mut schemas);
    let mut inputs = BTreeSet::new();
    for (.., sketch) in sketches.iter() {
        for known in sketch.query.iter().chain(&sketch.body) {
            inputs.append(&mut schemas::ask(&mut schemas, known));
        }
    }
    let mut answers = BTreeSet::from(["FieldFault".to_owned()]);
    sketches.iter().flat_map(|(.., sketch)| &sketch.shown).for_each(|name| {
        schemas::reached(&schemas, name, &mut answers);
    });
    for (name, schema) in &mut schemas {
        if answers.contains(name) && !inputs.contains(name) {
            schemas::complete(schema);
        }
    }
    for (holder, codes) in [("FieldFault", "FieldCode"), ("PartProblem", "ProblemCode")] {
        if let Some(holder) = schemas.get_mut(holder) {
            holder["properties"]["code"] = sketch::reference(codes);
        }
    }
    schemas.extend(refusals::schemas());
    schemas
}

/// The schemas that somebody refers to.
fn used(schemas: Schemas, paths: &Map<String, Value>) -> Map<String, Value> {
    let mut found = BTreeSet::new();
    let named: Vec<String> = schemas.keys().cloned().collect();
    let text = Value::Object(paths.clone()).to_string();
    for name in named.iter().filter(|name| text.contains(&format!("\"#/components/schemas/{name}\""))) {
        schemas::reached(&schemas, name, &mut found);
    }
    // Refusals are components, too: they refer to it from there.
    schemas::reached(&schemas, "Problem", &mut found);
    schemas.into_iter().filter(|(name, _)| found.contains(name)).collect()
}

/// `/v1/orgs` and `/<_>/tasks/<id>` are `/v1/orgs/{org}/tasks/{id}`: the segment that only guards read is the organization.
fn path_of(operation: &Operation) -> String {
    let pattern = format!("{}{}", operation.base, operation.route.uri.path());
    let named = pattern.replace("<_>", "{org}").replace('<', "{").replace('>', "}");
    let path = named.split('/').filter(|segment| !segment.is_empty()).collect::<Vec<_>>().join("/");
    format!("/{path}")
}

fn operation_of(chapter: &Chapter, operation: &Operation, sketch: &Sketch, schemas: &Schemas) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "tags": [chapter.name],
        "summary": operation.summary,
        "description": described_as(operation, "Needs no credential."),
        "security": [],
        "responses": responses_of(operation, sketch, schemas),
    });
    if let Some((needs, permission)) = &sketch.needs {
        described["description"] = described_as(operation, needs).into();
        described["security"] = json!([{ "bearer": [] }]);
        described["x-permission"] = (*permission).into();
    }
    let parameters = parameters_of(operation, sketch, schemas);
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(known) = &sketch.body {
        let schema = sketch::reference(&known.schema);
        let example = schemas::example(schemas, &schema);
        described["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": schema, "example": example } },
        });
        if operation.route.method == Method::Patch {
            let content = &mut described["requestBody"]["content"];
            content["application/merge-patch+json"] = content["application/json"].clone();
        }
    }
    if let Some(media) = &sketch.upload {
        described["requestBody"] = json!({ "required": true, "content": sketch::text_of(media) });
    }
    described
}

/// What clients should know, and what it needs.
fn described_as(operation: &Operation, needs: &str) -> String {
    about::text(operation.id).into_iter().chain([needs.to_owned()]).collect::<Vec<_>>().join("\n\n")
}

/// Whether it may come with a key: a POST of somebody who is known.
fn is_keyed(operation: &Operation, sketch: &Sketch) -> bool {
    operation.route.method == Method::Post && sketch.needs.is_some()
}

fn responses_of(operation: &Operation, sketch: &Sketch, schemas: &Schemas) -> Value {
    let mut responses = Map::new();
    let keyed = is_keyed(operation, sketch);
    if let Some((status, answer)) = &sketch.success {
        let mut answer = answer.clone();
        let limited = ["RateLimit", "RateLimit-Policy"];
        let tells: Vec<&str> =
            sketch.tells.iter().copied().chain(limited).chain(keyed.then_some("Idempotent-Replayed")).collect();
        answer["headers"] = refusals::headers(&tells);
        if let Some(json) = answer.pointer_mut("/content/application~1json") {
            json["example"] = schemas::example(schemas, &json["schema"]);
        }
        responses.insert(status.to_string(), answer);
    }
    if sketch.tagged {
        let headers = refusals::headers(&["ETag"]);
        responses.insert("304".to_owned(), json!({ "description": "The client has it already.", "headers": headers }));
    }
    let must = [428].into_iter().filter(|_| sketch.versioned);
    let key = [400, 409, 422].into_iter().filter(|_| keyed);
    for status in sketch.refusals.iter().copied().chain(must).chain(key).chain(refusals::ALWAYS) {
        if let Some(refusal) = refusals::refusal(status) {
            responses.insert(status.to_string(), refusal);
        }
    }
    Value::Object(responses)
}

fn parameters_of(operation: &Operation, sketch: &Sketch, schemas: &Schemas) -> Vec<Value> {
    let path = path_of(operation);
    let mut named = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters = Vec::new();
    if path.contains("{org}") {
        named.next();
        parameters.push(json!({
            "name": "org",
            "in": "path",
            "required": true,
            "description": "The organization: its slug, or its id.",
            "schema": sketch::reference("OrgRef"),
            "example": "acme",
        }));
    }
    for (name, schema) in named.zip(&sketch.segments) {
        let known = sketch::referred(schema).and_then(|name| schemas.get(name));
        parameters.push(json!({
            "name": name,
            "in": "path",
            "required": true,
            "description": known.map_or(&Value::Null, |known| &known["description"]),
            "schema": schema,
            "example": schemas::example(schemas, schema),
        }));
    }
    if sketch.versioned {
        // What changes or takes away a version names it; elsewhere, and where a deed is taken back, it may be named.
        let must = match operation.route.method {
            Method::Delete => path.ends_with('}'),
            method => method == Method::Patch,
        };
        parameters.push(refusals::parameter(if must { "IfMatch" } else { "IfMatchOptional" }));
    }
    if is_keyed(operation, sketch) {
        parameters.push(refusals::parameter(if sketch.once { "IdempotencyKey" } else { "IdempotencyKeyOptional" }));
    }
    if sketch.tagged {
        parameters.push(refusals::parameter("IfNoneMatch"));
    }
    if let Some(known) = &sketch.query {
        let schema = schemas.get(&known.schema).unwrap_or(&Value::Null);
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let mut field = schemas::without_null(field.clone());
            let description = sketch::object(&mut field).remove("description");
            let list = field["type"] == "array";
            let mut parameter =
                json!({ "name": name, "in": "query", "required": required.contains(&name.as_str()), "schema": field });
            if let Some(description) = description {
                parameter["description"] = description;
            }
            if list {
                // With commas between them.
                parameter["explode"] = false.into();
                parameter["schema"]["minItems"] = 1.into();
                parameter["schema"]["maxItems"] = 50.into();
            }
            parameters.push(parameter);
        }
    }
    parameters
}
