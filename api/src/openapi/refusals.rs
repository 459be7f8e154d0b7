//! What every operation has in common: how it refuses, and the headers of its answers.

use rocket::http::Status;
use serde_json::{Map, Value, json};

use super::codes::{CODES, FIELD_CODES};

/// A status, the name of its response, a code that comes with it, and when it is given.
const REFUSALS: &[(u16, &str, &str, &str)] = &[
    (308, "Moved", "moved", "The organization has another slug now: `Location` says where the same request goes."),
    (400, "BadRequest", "malformed_json", "The request cannot be understood: its query, its JSON, its headers."),
    (
        401,
        "Unauthenticated",
        "unauthenticated",
        "There is no credential that counts, or the password or code is wrong.",
    ),
    (403, "Forbidden", "permission_missing", "The caller sees it, and may not do this; `detail` names the permission."),
    (404, "NotFound", "not_found", "It does not exist, or the caller may not see it: the two are never told apart."),
    (406, "NotAcceptable", "not_acceptable", "`Accept` does not take JSON."),
    (408, "TooSlow", "too_slow", "The body did not arrive within ten seconds."),
    (409, "Conflict", "key_taken", "The state of things forbids it; `code` says which."),
    (410, "SyncAgain", "sync_again", "What has changed since then cannot be told: begin anew, without `since`."),
    (412, "Stale", "stale", "There is another version of it by now; `ETag` names that."),
    (413, "TooLarge", "too_large", "The body has more than 256 KiB."),
    (414, "AddressTooLong", "uri_too_long", "Path and query have more than 8 KiB."),
    (415, "NotJson", "not_json", "The body is not said to be JSON, or comes encoded."),
    (422, "Invalid", "invalid", "Fields of the body are not valid; `errors` lists them all."),
    (428, "VersionNeeded", "precondition_required", "`If-Match` must say which version is meant."),
    (
        429,
        "TooMany",
        "rate_limited",
        "Too many requests, or too many tries at a secret; `Retry-After` says how many seconds to wait.",
    ),
    (500, "Failed", "internal", "Our fault; it has been logged."),
    (
        503,
        "Unavailable",
        "unavailable",
        "The service is busy, or its database away; `Retry-After` says how many seconds to wait.",
    ),
];

/// Refusals that every operation may give.
pub(crate) const ALWAYS: [u16; 4] = [406, 414, 429, 500];

/// A header of answers, an example, and what it says.
const HEADERS: &[(&str, &str, &str)] = &[
    (
        "X-Request-Id",
        "01a20394-4f31-7324-a04f-3355b6a513bc",
        "The id of the request, the client's own if it sent one that fits: in the log, too.",
    ),
    (
        "ETag",
        "\"7-0a1b2c3d4e5f6071\"",
        "The name of these very bytes; of what has versions, it begins with the version.",
    ),
    ("Link", "</v1/orgs/acme/tasks?cursor=AZCqk8BfcAA4QTJb1g>; rel=\"next\"", "The next page, where there is one."),
    ("Idempotent-Replayed", "true", "`true`: it was done before, and this was said then."),
    (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "The trace that the request belongs to (W3C Trace Context).",
    ),
    ("Location", "/v1/orgs/acme", "Where it is."),
    (
        "RateLimit",
        "\"credential\";r=5999;t=1",
        "What is left of the tightest limit, and in how many seconds it is whole again.",
    ),
    ("RateLimit-Policy", "\"credential\";q=6000;w=60", "The limits: how many requests in how many seconds."),
    ("Retry-After", "7", "How many seconds to wait."),
    ("WWW-Authenticate", "Bearer", "How to authenticate: `Bearer`."),
    ("Content-Disposition", "attachment; filename=\"tasks.csv\"", "The name under which to keep it."),
];

/// The headers of a status, beside those of every answer.
fn headers_of(status: u16) -> &'static [&'static str] {
    match status {
        308 => &["Location"],
        412 => &["ETag"],
        401 => &["WWW-Authenticate"],
        429 => &["Retry-After", "RateLimit", "RateLimit-Policy"],
        409 | 503 => &["Retry-After"],
        _ => &[],
    }
}

/// References to headers, those of every answer first.
pub(crate) fn headers(own: &[&str]) -> Value {
    let all = ["X-Request-Id", "traceparent"].iter().chain(own);
    Value::Object(
        all.map(|name| ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }))).collect(),
    )
}

/// A reference to a parameter.
pub(crate) fn parameter(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

/// The headers that are read.
pub(crate) fn parameters() -> Value {
    let header = |name: &str, required: bool, description: &str, pattern: Option<&str>, example: Option<&str>| {
        let mut schema = json!({ "type": "string" });
        if let Some(pattern) = pattern {
            schema["minLength"] = 1.into();
            schema["pattern"] = pattern.into();
        }
        let mut header =
            json!({ "name": name, "in": "header", "required": required, "description": description, "schema": schema });
        if let Some(example) = example {
            header["example"] = example.into();
        }
        header
    };
    let once =
        "What the client calls this request, however often it sends it: it is done once, and answered alike for a day.";
    let which = "Which version is meant: the `ETag` of what was read, several of them, or `*` for any.";
    let known = "The `ETag` of what the client has; the answer is 304 when it is still the same.";
    let (key, example) = (Some("^[!-~]{1,255}$"), "01a20394-4f31-7324-a04f-3355b6a513bc");
    let tags = Some(r#"^(?:\*|(?:W/)?"[!#-~]*"(?:[ \t]*,[ \t]*(?:W/)?"[!#-~]*")*)$"#);
    json!({
        "IdempotencyKey": header("Idempotency-Key", true, once, key, Some(example)),
        // The reference page fills examples in. A key that nobody has chosen would make each request the one before it, and a tag
        // that nobody has seen says nothing (`what_is_optional_is_not_sent_because_it_was_filled_in`).
        "IdempotencyKeyOptional": header("Idempotency-Key", false, once, key, None),
        "IfMatch": header("If-Match", true, which, tags, Some("*")),
        "IfMatchOptional": header("If-Match", false, which, tags, Some("*")),
        // What cannot be read names nothing (RFC 9110, 13.1.2), and all is sent.
        "IfNoneMatch": header("If-None-Match", false, known, None, None),
    })
}

/// A refusal, by its status.
pub(crate) fn refusal(status: u16) -> Option<Value> {
    let (_, name, ..) = REFUSALS.iter().find(|(known, ..)| *known == status)?;
    Some(json!({ "$ref": format!("#/components/responses/{name}") }))
}

/// A problem document.
fn example(status: u16, code: &str) -> Value {
    let meaning = CODES.iter().find(|(known, _)| *known == code).map_or("", |(_, meaning)| meaning);
    let mut problem = json!({
        "type": format!("urn:taskbell:problem:{code}"),
        "title": Status::new(status).reason_lossy(),
        "status": status,
        "detail": meaning,
        "code": code,
        "request_id": "01a20394-4f31-7324-a04f-3355b6a513bc",
    });
    if status == 422 {
        problem["errors"] = json!([{ "pointer": "/title", "code": "missing", "detail": "is required" }]);
    }
    problem
}

/// All the refusals.
pub(crate) fn responses() -> Value {
    let response = |(status, name, code, description): &(u16, &str, &str, &str)| {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        let content = json!({ "application/problem+json": { "schema": schema, "example": example(*status, code) } });
        let response =
            json!({ "description": description, "content": content, "headers": headers(headers_of(*status)) });
        ((*name).to_owned(), response)
    };
    Value::Object(REFUSALS.iter().map(response).collect())
}

/// All the headers.
pub(crate) fn all_headers() -> Value {
    let header = |(name, example, description): &(&str, &str, &str)| {
        // An operator may do without limits, a client without traces; of conflicts some pass by themselves.
        let sometimes = ["traceparent", "Idempotent-Replayed", "Retry-After", "Link"];
        let required = !name.starts_with("RateLimit") && !sometimes.contains(name);
        let schema = match example.parse::<u32>() {
            Ok(number) => json!({ "type": "integer", "minimum": 0, "examples": [number] }),
            Err(_) => json!({ "type": "string", "examples": [example] }),
        };
        ((*name).to_owned(), json!({ "description": description, "required": required, "schema": schema }))
    };
    Value::Object(HEADERS.iter().map(header).collect())
}

fn listed(codes: &[(&str, &str)]) -> String {
    codes.iter().map(|(code, meaning)| format!("- `{code}`: {meaning}")).collect::<Vec<_>>().join("\n")
}

fn names<'a>(codes: &[(&'a str, &str)]) -> Vec<&'a str> {
    codes.iter().map(|(code, _)| *code).collect()
}

/// The problem document and the codes in it.
pub(crate) fn schemas() -> Map<String, Value> {
    let schemas = json!({
        "ProblemCode": {
            "type": "string",
            "description": format!("What is the matter. A code never changes its meaning; new ones may come.\n\n{}", listed(CODES)),
            "enum": names(CODES),
        },
        "FieldCode": {
            "type": "string",
            "description": format!("What is wrong with a field. New ones may come.\n\n{}", listed(FIELD_CODES)),
            "enum": names(FIELD_CODES),
        },
        "Problem": {
            "type": "object",
            "description": "Why a request was refused (RFC 9457).",
            "required": ["type", "title", "status", "detail", "code", "request_id"],
            "additionalProperties": false,
            "properties": {
                "type": { "type": "string", "format": "uri", "description": "`urn:taskbell:problem:` and the code." },
                "title": { "type": "string", "description": "What the status is called." },
                "status": { "type": "integer", "description": "The HTTP status.", "minimum": 300, "maximum": 599 },
                "detail": { "type": "string", "description": "A sentence for people." },
                "code": { "$ref": "#/components/schemas/ProblemCode" },
                "request_id": { "type": "string", "description": "The id of the request, for questions." },
                "errors": {
                    "type": "array",
                    "description": "What is wrong with each field, the first hundred faults.",
                    "items": { "$ref": "#/components/schemas/FieldFault" },
                },
            },
            "examples": [example(404, "not_found")],
        },
    });
    match schemas {
        Value::Object(schemas) => schemas,
        _ => Map::new(),
    }
}
