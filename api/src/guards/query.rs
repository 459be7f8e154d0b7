use common::input::{Faults, FieldFault, Input, read};
use rocket::{
    Request,
    request::{FromRequest, Outcome},
};
use serde_json::{Map, Value};

use super::deny;
use crate::problem::Problem;

/// The query string as a type; an unknown, repeated or malformed parameter is a 400 that lists them all.
pub(crate) struct Query<T>(pub(crate) T);

#[rocket::async_trait]
impl<'r, T: Input> FromRequest<'r> for Query<T> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        match parameters(request).and_then(read) {
            Ok(query) => Outcome::Success(Self(query)),
            Err(faults) => deny(request, Problem::of_query(faults)),
        }
    }
}

pub(super) fn parameters(request: &Request<'_>) -> Result<Value, Faults> {
    let mut parameters = Map::new();
    for (name, value) in request.query_fields().map(|field| (field.name.source().to_string(), field.value)) {
        if parameters.insert(name.clone(), Value::from(value)).is_some() {
            let fault =
                FieldFault { pointer: format!("/{name}"), code: "repeated", detail: "may be given once".into() };
            return Err(Faults(vec![fault]));
        }
    }
    Ok(Value::Object(parameters))
}
