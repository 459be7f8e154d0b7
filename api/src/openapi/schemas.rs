//! The schemas, put right: what a derive cannot know, the readers of the inputs are asked.

use std::collections::{BTreeMap, BTreeSet};

use common::input::FieldFault;
use serde_json::{Map, Value, json};

use super::{
    samples::{named, sample},
    sketch::{Known, object, referred},
};

/// Every schema by its name.
pub(crate) type Schemas = BTreeMap<String, Value>;

/// What no input knows, to see whether its reader minds.
const UNKNOWN: &str = "no such field";

/// A field that may be absent is described as what it holds: `Given_Name` is `Name`.
pub(crate) fn unwrap_fields(schemas: &mut Schemas) {
    let wrapped: Schemas = schemas.iter().filter(|(name, _)| inner(name).is_some()).map(own).collect();
    schemas.retain(|name, _| !wrapped.contains_key(name));
    let known: BTreeSet<String> = schemas.keys().cloned().collect();
    for schema in schemas.values_mut() {
        walk(schema, &mut |value| {
            let Some(name) = referred(value).map(str::to_owned) else { return };
            match inner(&name) {
                Some(inner) if known.contains(inner) => {
                    value["$ref"] = format!("#/components/schemas/{inner}").into();
                }
                Some(_) => {
                    let described = value.get("description").cloned();
                    *value = wrapped[&name].clone();
                    if let Some(described) = described {
                        value["description"] = described;
                    }
                }
                None => {}
            }
        });
    }
}

fn inner(name: &str) -> Option<&str> {
    ["Given_", "Patch_", "OrNull_"].iter().find_map(|prefix| name.strip_prefix(prefix))
}

fn own((name, schema): (&String, &Value)) -> (String, Value) {
    (name.clone(), schema.clone())
}

/// JSON Schema has a word of its own for examples; and descriptions stand outside of choices.
pub(crate) fn modernize(schemas: &mut Schemas) {
    for schema in schemas.values_mut() {
        walk(schema, &mut |value| {
            lift_description(value);
            let Some(object) = value.as_object_mut() else { return };
            // A field that is called so is an object itself.
            if let Some(example) = object.remove("example") {
                object.insert("examples".to_owned(), json!([example]));
            }
        });
    }
}

/// Descriptions of fields stand beside the choice that they may be null, not in one of its branches.
fn lift_description(value: &mut Value) {
    let branches = value.get_mut("oneOf").and_then(Value::as_array_mut);
    if let Some([one, null]) = branches.map(Vec::as_mut_slice)
        && is_null(null)
        && one.get("$ref").is_some()
        && let Some(description) = object(one).remove("description")
    {
        value["description"] = description;
    }
}

/// Visits each schema in a schema, the whole one last.
pub(crate) fn walk(schema: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    for keyword in ["properties", "$defs"] {
        if let Some(Value::Object(fields)) = schema.get_mut(keyword) {
            fields.values_mut().for_each(|field| walk(field, visit));
        }
    }
    for keyword in ["oneOf", "anyOf", "allOf"] {
        if let Some(Value::Array(branches)) = schema.get_mut(keyword) {
            for branch in branches {
                walk(branch, visit);
            }
        }
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get_mut(keyword) {
            walk(inner, visit);
        }
    }
    visit(schema);
}

/// Everything that a schema refers to, itself included.
pub(crate) fn reached(schemas: &Schemas, from: &str, found: &mut BTreeSet<String>) {
    if !found.insert(from.to_owned()) {
        return;
    }
    if let Some(mut schema) = schemas.get(from).cloned() {
        let mut next = Vec::new();
        walk(&mut schema, &mut |value| next.extend(referred(value).map(str::to_owned)));
        for name in &next {
            reached(schemas, name, found);
        }
    }
}

/// Answers hold each of their fields, null or not. One that may be left out says `#[schema(nullable = false)]`: it is never null.
/// What is a part by nature (`x-partial`) holds what it holds.
pub(crate) fn complete(schema: &mut Value) {
    walk(schema, &mut |value| {
        let Some(Value::Object(fields)) = value.get("properties") else { return };
        if value["x-partial"] == true {
            return;
        }
        let sure = |name: &&String| value["required"].as_array().is_some_and(|sure| sure.contains(&json!(name)));
        let held = fields.iter().filter(|(name, field)| sure(name) || admits_null(field));
        let held: Vec<Value> = held.map(|(name, _)| name.as_str().into()).collect();
        value["required"] = held.into();
    });
}

fn admits_null(schema: &Value) -> bool {
    let typed = ["type", "$ref", "oneOf", "allOf"].iter().any(|keyword| schema.get(keyword).is_some());
    let among =
        |keyword: &str, null: fn(&Value) -> bool| schema[keyword].as_array().is_some_and(|all| all.iter().any(null));
    !typed || among("type", |kind| kind == "null") || among("oneOf", is_null)
}

/// Asks the reader of an input which fields it requires, which may be null, and whether it takes others; of everything in it,
/// too. Gives the names of the schemas that it was asked about.
pub(crate) fn ask(schemas: &mut Schemas, known: &Known) -> BTreeSet<String> {
    let mut asked = BTreeSet::new();
    Interview { schemas, known }.about(&known.schema, &|value| value, "", &mut asked);
    asked
}

struct Interview<'a> {
    schemas: &'a mut Schemas,
    known: &'a Known,
}

impl Interview<'_> {
    fn faults(&self, wrap: &dyn Fn(Value) -> Value, value: Value) -> Vec<FieldFault> {
        (self.known.reader)(wrap(value))
    }

    /// One schema, which stands at `place` of the input; `wrap` puts a value there.
    fn about(&mut self, name: &str, wrap: &dyn Fn(Value) -> Value, place: &str, asked: &mut BTreeSet<String>) {
        if !asked.insert(name.to_owned()) {
            return;
        }
        let Some(mut schema) = self.schemas.remove(name) else { return };
        let stranger = self.faults(wrap, json!({ UNKNOWN: true }));
        let closed =
            stranger.iter().any(|fault| fault.code == "unknown" && fault.pointer == format!("{place}/{UNKNOWN}"));
        walk(&mut schema, &mut |value| {
            if closed && value.get("properties").is_some() {
                value["additionalProperties"] = false.into();
            }
        });
        let mut next = Vec::new();
        if let Some(Value::Object(fields)) = schema.get_mut("properties") {
            let missing = self.faults(wrap, json!({}));
            let required: Vec<Value> = fields
                .keys()
                .filter(|field| {
                    missing.iter().any(|fault| fault.code == "missing" && fault.pointer == format!("{place}/{field}"))
                })
                .map(|field| field.as_str().into())
                .collect();
            for (field, schema) in fields.iter_mut() {
                let at = format!("{place}/{field}");
                let null = self.faults(wrap, json!({ field: null }));
                let refused =
                    null.iter().any(|fault| fault.pointer == at || fault.pointer.starts_with(&format!("{at}/")));
                *schema = if refused { without_null(schema.take()) } else { with_null(schema.take()) };
                next.extend(held(schema).map(|(name, many)| (field.clone(), name, many)));
            }
            schema["required"] = required.into();
        }
        // What has one of several forms holds what each of them holds (tests/api/openapi: `no_object_of_an_input_takes_what_it_does_not_know`).
        for branch in ["oneOf", "anyOf"].iter().filter_map(|forms| schema.get(*forms)?.as_array()).flatten() {
            for (field, schema) in branch["properties"].as_object().into_iter().flatten() {
                next.extend(held(schema).map(|(name, many)| (field.clone(), name, many)));
            }
        }
        let element = referred(&schema["items"]).map(str::to_owned);
        self.schemas.insert(name.to_owned(), schema);
        if let Some(element) = element {
            self.about(&element, &|value| wrap(json!([value])), &format!("{place}/0"), asked);
        }
        for (field, name, many) in next {
            let inside = |value: Value| wrap(json!({ field.clone(): if many { json!([value]) } else { value } }));
            let place = if many { format!("{place}/{field}/0") } else { format!("{place}/{field}") };
            self.about(&name, &inside, &place, asked);
        }
    }
}

/// The schema that a field refers to, and whether it is a list of such.
fn held(field: &Value) -> Option<(String, bool)> {
    let single = |value: &Value| referred(value).map(str::to_owned);
    let branch = || field["oneOf"].as_array().and_then(|branches| branches.iter().find_map(single));
    let one = single(field).or_else(branch).map(|name| (name, false));
    one.or_else(|| single(&field["items"]).map(|name| (name, true)))
}

fn is_null(schema: &Value) -> bool {
    schema["type"] == "null"
}

/// The same schema, which admits null.
pub(crate) fn with_null(mut schema: Value) -> Value {
    if schema.get("oneOf").is_some() {
        return schema;
    }
    if schema.get("$ref").is_some() {
        let description = object(&mut schema).remove("description");
        schema = json!({ "oneOf": [schema, { "type": "null" }] });
        if let Some(description) = description {
            schema["description"] = description;
        }
    } else if let Some(kind) = schema.get_mut("type").filter(|kind| !kind.is_array()) {
        *kind = json!([kind.clone(), "null"]);
    }
    schema
}

/// The same schema, which does not.
pub(crate) fn without_null(mut schema: Value) -> Value {
    if let Some(Value::Array(kinds)) = schema.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [kind] = kinds.as_slice() {
            schema["type"] = kind.clone();
        }
    }
    if let Some(Value::Array(branches)) = schema.get_mut("oneOf") {
        branches.retain(|branch| !is_null(branch));
        if let [only] = branches.as_slice() {
            let mut only = only.clone();
            if let Some(description) = schema.get("description") {
                only["description"] = description.clone();
            }
            schema = only;
        }
    }
    schema
}

/// An example of a field: what its type says, or else its name.
fn field_example(schemas: &Schemas, name: &str, field: &Value) -> Value {
    // What a reference leads to knows best, but for what is better left out.
    let plain =
        referred(field).is_none() && ["examples", "enum", "default"].iter().all(|says| field.get(says).is_none());
    sample(name, admits_null(field))
        .filter(|sample| plain && fits(field, sample))
        .unwrap_or_else(|| example(schemas, field))
}

/// Whether a sample is of the type of a field.
fn fits(field: &Value, sample: &Value) -> bool {
    let kind = match sample {
        Value::Null => return true,
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let among =
        |kinds: &Value| *kinds == kind || kinds.as_array().is_some_and(|kinds| kinds.iter().any(|one| one == kind));
    field.get("type").map_or(field.get("oneOf").is_none(), among)
}

/// An example of a schema: its own, or put together from those of its parts.
pub(crate) fn example(schemas: &Schemas, schema: &Value) -> Value {
    if let Some(example) = schema["examples"].get(0) {
        return example.clone();
    }
    if let Some(name) = referred(schema) {
        let mut example = schemas.get(name).map_or(Value::Null, |schema| example(schemas, schema));
        if let Some((field, called)) = named(name)
            && let Some(field) = example.get_mut(field)
        {
            *field = called.into();
        }
        return example;
    }
    if let Some(constant) = schema.get("const").or_else(|| schema["enum"].get(0)).or_else(|| schema.get("default")) {
        return constant.clone();
    }
    if let Some(Value::Array(branches)) = schema.get("oneOf").or_else(|| schema.get("anyOf")) {
        return branches.iter().find(|branch| !is_null(branch)).map_or(Value::Null, |branch| example(schemas, branch));
    }
    if let Some(Value::Array(parts)) = schema.get("allOf") {
        let fields = parts.iter().filter_map(|part| example(schemas, part).as_object().cloned()).flatten();
        return Value::Object(fields.collect());
    }
    if let Some(Value::Object(fields)) = schema.get("properties") {
        let shown = fields.iter().map(|(name, field)| (name.clone(), field_example(schemas, name, field)));
        return Value::Object(shown.collect::<Map<_, _>>());
    }
    if let Some(items) = schema.get("items") {
        return json!([example(schemas, items)]);
    }
    let kind = schema["type"].as_array().map_or(&schema["type"], |kinds| &kinds[0]);
    match kind.as_str() {
        Some("boolean") => true.into(),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| 1.into()),
        Some("string") => match schema["format"].as_str() {
            Some("date-time") => "2031-03-01T08:00:00Z".into(),
            Some("date") => "2031-03-01".into(),
            Some("uuid") => "01a20393-c05f-7000-8000-000000000000".into(),
            _ => "text".into(),
        },
        _ => json!({}),
    }
}
