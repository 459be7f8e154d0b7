use common::{
    error::Error,
    input::{Faults, FieldFault},
};
use rocket::http::Status;

use super::page::Refused;
use crate::{guards::Typed, problem::Problem};

/// How an answer to a form went that can be corrected: the form is shown again, with its faults. The default is a form that
/// nobody has filled yet.
pub(super) struct Attempt {
    pub(super) status: Status,
    pub(super) faults: Vec<FieldFault>,
    pub(super) typed: Typed,
}

impl Default for Attempt {
    fn default() -> Self {
        Self { status: Status::Ok, faults: Vec::new(), typed: Typed::default() }
    }
}

impl Attempt {
    /// What the fields had to do with an error; or a refusal, where they had nothing.
    pub(super) fn failed(error: Error, typed: Typed) -> Result<Self, Refused> {
        let at = |pointer: &str, code, detail: &str| {
            Faults(vec![FieldFault { pointer: pointer.to_owned(), code, detail: detail.to_owned() }])
        };
        let faults = match &error {
            Error::Invalid(faults) => faults.clone(),
            Error::WrongPassword => at("/password", "wrong_password", "is wrong"),
            Error::SecondFactor { given: false } => at("/code", "second_factor", "is needed"),
            Error::SecondFactor { given: true } => at("/code", "second_factor", "is wrong or was used before"),
            _ => return Err(error.into()),
        };
        Ok(Self { status: Problem::from(error).status(), faults: faults.0, typed })
    }
}
