//! What objects are like.

use serde_json::Value;

/// Every schema that a schema refers to, itself included.
fn reached<'a>(schemas: &'a Value, schema: &'a Value, found: &mut Vec<&'a str>) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                let target = value.as_str().and_then(|text| text.strip_prefix("#/components/schemas/"));
                match target {
                    Some(target) if name == "$ref" && !found.contains(&target) => {
                        found.push(target);
                        reached(schemas, &schemas[target], found);
                    }
                    _ => reached(schemas, value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| reached(schemas, value, found)),
        _ => {}
    }
}

fn open(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            let object = fields.get("properties").is_some_and(Value::is_object);
            object && fields.get("additionalProperties") != Some(&Value::Bool(false)) || fields.values().any(open)
        }
        Value::Array(values) => values.iter().any(open),
        _ => false,
    }
}

#[test]
fn no_object_of_an_input_takes_what_it_does_not_know() {
    let description = api::description(None);
    let schemas = &description["components"]["schemas"];
    let mut found = Vec::new();
    for item in description["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            reached(schemas, &operation["requestBody"], &mut found);
        }
    }
    assert!(found.len() > 50, "{found:?}");
    let open: Vec<&str> = found.into_iter().filter(|name| open(&schemas[*name])).collect();
    assert_eq!(open, [] as [&str; 0]);
}
