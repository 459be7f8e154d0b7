//! What people send from a page: the fields of a form, read into the same types as JSON bodies are.

use std::collections::BTreeMap;

use common::input::{Faults, FieldFault, Input, read};
use rocket::{
    Data, Request,
    data::{FromData, Outcome},
    http::Status,
};
use serde_json::{Map, Value};

use super::{deny, input::bytes};
use crate::problem::Problem;

/// A form that was sent. Its faults are no refusal: they are shown beside the fields.
pub(crate) struct Form<T> {
    pub(crate) input: Result<T, Faults>,
    pub(crate) typed: Typed,
}

/// What was typed into a form, to be shown again beside its faults. Fields for secrets do not ask for it.
#[derive(Default)]
pub(crate) struct Typed(BTreeMap<String, String>);

impl Typed {
    pub(crate) fn get(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }
}

#[rocket::async_trait]
impl<'r, T: Input> FromData<'r> for Form<T> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        if !request.content_type().is_some_and(|media| media.is_form()) {
            let detail = "The body must be a form, and Content-Type must say so: application/x-www-form-urlencoded.";
            return deny(request, Problem::new(Status::UnsupportedMediaType, "not_a_form", detail));
        }
        match bytes(data).await {
            Ok(bytes) => Outcome::Success(parse(&bytes)),
            Err(problem) => deny(request, problem),
        }
    }
}

/// A field that was left empty is one that is missing: browsers send all.
fn parse<T: Input>(bytes: &[u8]) -> Form<T> {
    let (mut fields, mut repeated) = (BTreeMap::new(), Vec::new());
    for (name, value) in url::form_urlencoded::parse(bytes).filter(|(_, value)| !value.is_empty()) {
        if fields.insert(name.clone().into_owned(), value.into_owned()).is_some() {
            let pointer = format!("/{name}");
            repeated.push(FieldFault { pointer, code: "repeated", detail: "may be given once".into() });
        }
    }
    let typed = Typed(fields.clone());
    if !repeated.is_empty() {
        return Form { input: Err(Faults(repeated)), typed };
    }
    let object: Map<String, Value> = fields.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    Form { input: read(Value::Object(object)), typed }
}

#[cfg(test)]
mod tests {
    use common::accounts::NewAccount;

    use super::*;

    fn faults(body: &str) -> Vec<(String, &'static str)> {
        let form: Form<NewAccount> = parse(body.as_bytes());
        let mut faults: Vec<_> =
            form.input.unwrap_err().0.into_iter().map(|fault| (fault.pointer, fault.code)).collect();
        faults.sort();
        faults
    }

    #[test]
    fn a_form_is_read_as_json_is() {
        let body = b"email=Ada%40Example.org&name=Ada+L%C3%B6velace&password=correct+horse+battery";
        let form: Form<NewAccount> = parse(body);
        let new = form.input.unwrap();
        assert_eq!((new.email.as_str(), new.name.as_str()), ("ada@example.org", "Ada Lövelace"));
        assert_eq!(form.typed.get("name"), Some("Ada Lövelace"));
    }

    #[test]
    fn every_fault_of_a_form_is_found_at_its_field() {
        let found = faults("email=nonsense&name=&password=short&admin=yes");
        let expected =
            [("/admin", "unknown"), ("/email", "not_an_email"), ("/name", "missing"), ("/password", "password_length")];
        assert_eq!(found, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        assert_eq!(faults("name=a&name=b"), [("/name".to_owned(), "repeated")]);
    }
}
