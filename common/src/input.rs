//! Input from outside becomes types here, once, and every fault of it is reported at the same time.
//!
//! `deserr` walks the parsed JSON and goes on after a fault, which serde cannot (docs/adr/0004).

use std::{convert::Infallible, ops::ControlFlow};

use deserr::{DeserializeError, ErrorKind, IntoValue, MergeWithError, ValueKind, ValuePointerRef};
use serde::Serialize;
use utoipa::ToSchema;

/// How many faults of one input are told.
const MOST: usize = 100;

/// A reason why a value was refused: a sentence (`Display`) and a code that never changes.
pub trait Fault: std::error::Error {
    /// A stable, machine-readable name of the fault.
    fn code(&self) -> &'static str;
}

/// One refused field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldFault {
    /// A JSON pointer (RFC 6901) into the body, or the name of a query parameter after a slash.
    pub pointer: String,
    /// Stable name of the fault.
    pub code: &'static str,
    /// A sentence for people. Never repeats the value: it may be a password.
    pub detail: String,
}

/// Everything that is wrong with an input; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the input is not valid")]
pub struct Faults(pub Vec<FieldFault>);

impl Faults {
    /// A single fault found by a rule that looks at more than one field.
    #[must_use]
    pub fn at(pointer: &str, fault: &impl Fault) -> Self {
        Self(vec![FieldFault { pointer: pointer.to_owned(), code: fault.code(), detail: fault.to_string() }])
    }
}

/// A type read from a body or a query string.
pub trait Input: deserr::Deserr<Faults> + Send {}
impl<T: deserr::Deserr<Faults> + Send> Input for T {}

/// Reads `T` from parsed JSON.
///
/// # Errors
/// All the faults of the value at once.
pub fn read<T: Input>(value: serde_json::Value) -> Result<T, Faults> {
    deserr::deserialize(value)
}

impl MergeWithError<Faults> for Faults {
    fn merge(known: Option<Self>, other: Self, _: ValuePointerRef) -> ControlFlow<Self, Self> {
        let mut all = known.map_or_else(Vec::new, |faults| faults.0);
        all.extend(other.0);
        if all.len() < MOST { ControlFlow::Continue(Self(all)) } else { ControlFlow::Break(Self(all)) }
    }
}

impl<F: Fault> MergeWithError<F> for Faults {
    fn merge(known: Option<Self>, fault: F, place: ValuePointerRef) -> ControlFlow<Self, Self> {
        add(known, place, fault.code(), fault.to_string())
    }
}

impl MergeWithError<Infallible> for Faults {
    fn merge(_: Option<Self>, never: Infallible, _: ValuePointerRef) -> ControlFlow<Self, Self> {
        match never {}
    }
}

impl DeserializeError for Faults {
    fn error<V: IntoValue>(known: Option<Self>, kind: ErrorKind<V>, place: ValuePointerRef) -> ControlFlow<Self, Self> {
        match kind {
            ErrorKind::MissingField { field } => add(known, place.push_key(field), "missing", "is required".into()),
            ErrorKind::UnknownKey { key, accepted } => {
                let detail = format!("is not known here; known are: {}", accepted.join(", "));
                add(known, place.push_key(key), "unknown", detail)
            }
            ErrorKind::UnknownValue { accepted, .. } => {
                add(known, place, "not_one_of", format!("must be one of: {}", accepted.join(", ")))
            }
            ErrorKind::IncorrectValueKind { accepted, .. } => {
                let kinds: Vec<_> = accepted.iter().map(|kind| kind_name(*kind)).collect();
                add(known, place, "wrong_type", format!("must be {}", kinds.join(" or ")))
            }
            ErrorKind::BadSequenceLen { expected, .. } => {
                add(known, place, "wrong_length", format!("must have {expected} elements"))
            }
            ErrorKind::Unexpected { msg } => add(known, place, "not_valid", msg),
        }
    }
}

fn add(
    known: Option<Faults>,
    place: ValuePointerRef,
    code: &'static str,
    detail: String,
) -> ControlFlow<Faults, Faults> {
    let mut faults = known.map_or_else(Vec::new, |faults| faults.0);
    faults.push(FieldFault { pointer: json_pointer(place), code, detail });
    // Somebody's mistakes are all told; somebody's 60,000 are not worth an answer of megabytes.
    if faults.len() < MOST { ControlFlow::Continue(Faults(faults)) } else { ControlFlow::Break(Faults(faults)) }
}

fn json_pointer(place: ValuePointerRef) -> String {
    match place {
        ValuePointerRef::Origin => String::new(),
        ValuePointerRef::Key { key, prev } => {
            format!("{}/{}", json_pointer(*prev), key.replace('~', "~0").replace('/', "~1"))
        }
        ValuePointerRef::Index { index, prev } => format!("{}/{index}", json_pointer(*prev)),
    }
}

fn kind_name(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Null => "null",
        ValueKind::Boolean => "true or false",
        ValueKind::Integer | ValueKind::NegativeInteger => "a whole number",
        ValueKind::Float => "a number",
        ValueKind::String => "a string",
        ValueKind::Sequence => "an array",
        ValueKind::Map => "an object",
    }
}

/// A field of a merge patch (RFC 7396): absent is not null.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Absent: keep what is there.
    #[default]
    Keep,
    /// Null: clear it.
    Clear,
    /// Put this in its place.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether it changes anything, and to what.
    pub fn as_ref(&self) -> Option<Option<&T>> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}

/// A field of a merge patch that cannot be cleared: absent, or a value; null is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<T>(pub Option<T>);

impl<T> Default for Given<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: deserr::Deserr<Faults>> deserr::Deserr<Faults> for Given<T> {
    fn deserialize_from_value<V: IntoValue>(value: deserr::Value<V>, place: ValuePointerRef) -> Result<Self, Faults> {
        T::deserialize_from_value(value, place).map(|value| Self(Some(value)))
    }
}

impl<T: deserr::Deserr<Faults>> deserr::Deserr<Faults> for Patch<T> {
    fn deserialize_from_value<V: IntoValue>(value: deserr::Value<V>, place: ValuePointerRef) -> Result<Self, Faults> {
        match value {
            deserr::Value::Null => Ok(Self::Clear),
            value => T::deserialize_from_value(value, place).map(Self::Set),
        }
    }
}

/// A field that must be there and may be null: whoever forgets it has not said null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrNull<T>(pub Option<T>);

impl<T: deserr::Deserr<Faults>> deserr::Deserr<Faults> for OrNull<T> {
    fn deserialize_from_value<V: IntoValue>(value: deserr::Value<V>, place: ValuePointerRef) -> Result<Self, Faults> {
        match value {
            deserr::Value::Null => Ok(Self(None)),
            value => T::deserialize_from_value(value, place).map(|value| Self(Some(value))),
        }
    }
}

/// A parameter of a query that is `true` or `false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, deserr::Deserr, ToSchema)]
#[deserr(rename_all = lowercase, error = Faults)]
#[schema(rename_all = "lowercase")]
pub enum Flag {
    /// Yes.
    True,
    /// No.
    False,
}

/// Makes a type that implements `FromStr`, with a [`Fault`] as its error, readable from a JSON string.
macro_rules! parsed_field {
    ($name:ty) => {
        impl deserr::Deserr<crate::input::Faults> for $name {
            fn deserialize_from_value<V: deserr::IntoValue>(
                value: deserr::Value<V>,
                place: deserr::ValuePointerRef,
            ) -> Result<Self, crate::input::Faults> {
                let text = <String as deserr::Deserr<crate::input::Faults>>::deserialize_from_value(value, place)?;
                text.parse().map_err(|fault| {
                    deserr::take_cf_content(<crate::input::Faults as deserr::MergeWithError<_>>::merge(
                        None, fault, place,
                    ))
                })
            }
        }
    };
}
pub(crate) use parsed_field;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, deserr::Deserr)]
    #[deserr(error = Faults, deny_unknown_fields)]
    #[expect(dead_code, reason = "only its faults are looked at")]
    struct Sample {
        name: crate::text::Name,
        email: crate::text::EmailAddress,
        rooms: Vec<crate::text::Slug>,
    }

    #[test]
    fn every_fault_of_an_input_is_reported_at_once() {
        let value = serde_json::json!({ "name": 3, "rooms": ["ok", "No Good"], "extra/": 1 });
        let mut faults: Vec<_> =
            read::<Sample>(value).unwrap_err().0.into_iter().map(|f| (f.pointer, f.code)).collect();
        faults.sort();
        let expected =
            [("/email", "missing"), ("/extra~1", "unknown"), ("/name", "wrong_type"), ("/rooms/1", "not_a_slug")];
        assert_eq!(faults, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
    }
}
