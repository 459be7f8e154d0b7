//! What every operation has in common: how it refuses, and the headers of its answers.

use serde_json::{Map, Value, json};

use super::codes::{CODES, FIELD_CODES};

/// A status, the name of its response, and when it is given.
const REFUSALS: &[(u16, &str, &str)] = &[
    (308, "Moved", "The organization has another slug now: `Location` says where the same request goes."),
    (400, "BadRequest", "The request cannot be understood: its query, its JSON, its headers."),
    (401, "Unauthenticated", "There is no credential that counts, or the password or code is wrong."),
    (403, "Forbidden", "The caller sees it, and may not do this; `detail` names the permission."),
    (404, "NotFound", "It does not exist, or the caller may not see it: the two are never told apart."),
    (406, "NotAcceptable", "`Accept` does not take JSON."),
    (408, "TooSlow", "The body did not arrive within ten seconds."),
    (409, "Conflict", "The state of things forbids it; `code` says which."),
    (410, "SyncAgain", "What has changed since then cannot be told: begin anew, without `since`."),
    (412, "Stale", "There is another version of it by now; `ETag` names that."),
    (413, "TooLarge", "The body has more than 256 KiB."),
    (415, "NotJson", "The body is not said to be JSON, or comes encoded."),
    (422, "Invalid", "Fields of the body are not valid; `errors` lists them all."),
    (428, "VersionNeeded", "`If-Match` must say which version is meant."),
    (429, "TooMany", "Too many requests, or too many tries at a secret; `Retry-After` says how many seconds to wait."),
    (500, "Failed", "Our fault; it has been logged."),
    (503, "Unavailable", "The service is busy, or its database away; `Retry-After` says how many seconds to wait."),
];

/// Refusals that every operation may give.
pub(crate) const ALWAYS: [u16; 3] = [406, 429, 500];

/// A header of answers, and what it says.
const HEADERS: &[(&str, &str, &str)] = &[
    ("X-Request-Id", "string", "The id of the request, the client's own if it sent one that fits: in the log, too."),
    ("ETag", "string", "The name of these very bytes; of what has versions, it begins with the version."),
    ("Idempotent-Replayed", "string", "`true`: it was done before, and this was said then."),
    ("traceparent", "string", "The trace that the request belongs to (W3C Trace Context)."),
    ("Location", "string", "Where it is."),
    ("RateLimit", "string", "What is left of the tightest limit, and in how many seconds it is whole again."),
    ("RateLimit-Policy", "string", "The limits: how many requests in how many seconds."),
    ("Retry-After", "integer", "How many seconds to wait."),
    ("WWW-Authenticate", "string", "How to authenticate: `Bearer`."),
    ("Content-Disposition", "string", "The name under which to keep it."),
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
    let header = |name: &str, required: bool, description: &str, pattern: Option<&str>, example: &str| {
        let mut schema = json!({ "type": "string" });
        if let Some(pattern) = pattern {
            schema["minLength"] = 1.into();
            schema["pattern"] = pattern.into();
        }
        json!({
            "name": name,
            "in": "header",
            "required": required,
            "description": description,
            "schema": schema,
            "example": example,
        })
    };
    let once =
        "What the client calls this request, however often it sends it: it is done once, and answered alike for a day.";
    let which = "Which version is meant: the `ETag` of what was read, several of them, or `*` for any.";
    let known = "The `ETag` of what the client has; the answer is 304 when it is still the same.";
    let (key, example) = (Some("^[!-~]{1,255}$"), "01a20394-4f31-7324-a04f-3355b6a513bc");
    let tags = Some(r#"^(?:\*|(?:W/)?"[!#-~]*"(?:[ \t]*,[ \t]*(?:W/)?"[!#-~]*")*)$"#);
    json!({
        "IdempotencyKey": header("Idempotency-Key", true, once, key, example),
        "IdempotencyKeyOptional": header("Idempotency-Key", false, once, key, example),
        "IfMatch": header("If-Match", true, which, tags, "*"),
        "IfMatchOptional": header("If-Match", false, which, tags, "*"),
        // What cannot be read names nothing (RFC 9110, 13.1.2), and all is sent.
        "IfNoneMatch": header("If-None-Match", false, known, None, "\"0\""),
    })
}

/// A refusal, by its status.
pub(crate) fn refusal(status: u16) -> Option<Value> {
    let (_, name, _) = REFUSALS.iter().find(|(known, ..)| *known == status)?;
    Some(json!({ "$ref": format!("#/components/responses/{name}") }))
}

/// All the refusals.
pub(crate) fn responses() -> Value {
    let response = |(status, name, description): &(u16, &str, &str)| {
        let content = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
        let response =
            json!({ "description": description, "content": content, "headers": headers(headers_of(*status)) });
        ((*name).to_owned(), response)
    };
    Value::Object(REFUSALS.iter().map(response).collect())
}

/// All the headers.
pub(crate) fn all_headers() -> Value {
    let header = |(name, kind, description): &(&str, &str, &str)| {
        // An operator may do without limits, a client without traces; of conflicts some pass by themselves.
        let sometimes = ["traceparent", "Idempotent-Replayed", "Retry-After"];
        let required = !name.starts_with("RateLimit") && !sometimes.contains(name);
        ((*name).to_owned(), json!({ "description": description, "required": required, "schema": { "type": kind } }))
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
            "examples": [{
                "type": "urn:taskbell:problem:not_found",
                "title": "Not Found",
                "status": 404,
                "detail": "There is nothing here.",
                "code": "not_found",
                "request_id": "01a20394-4f31-7324-a04f-3355b6a513bc",
            }],
        },
    });
    match schemas {
        Value::Object(schemas) => schemas,
        _ => Map::new(),
    }
}
