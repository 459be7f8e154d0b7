//! What query strings have beside text: lists, and yes or no.

use std::str::FromStr;

use deserr::{Deserr, IntoValue, MergeWithError, Value, ValuePointerRef};

use crate::input::{Fault, Faults, parsed_field};

/// How many elements a list may have: more is no question that people ask.
const MOST: usize = 50;

/// One or more values with commas between them: any of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Several<T>(pub Vec<T>);

impl<T> Several<T> {
    /// Those that `pick` finds something in.
    pub(crate) fn pick<'a, U>(&'a self, pick: impl FnMut(&'a T) -> Option<U>) -> Vec<U> {
        self.0.iter().filter_map(pick).collect()
    }
}

impl<T> Default for Several<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Why a list was refused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ListFault<E: std::error::Error> {
    /// Nothing between two commas, or nothing at all.
    #[error("must be values with commas between them")]
    Empty,
    /// More than anybody asks for.
    #[error("must have at most {MOST} values")]
    TooMany,
    /// One of them is none.
    #[error("has a value that is none: it {0}")]
    Value(E),
}

impl<E: Fault> Fault for ListFault<E> {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooMany => "too_many",
            Self::Value(fault) => fault.code(),
        }
    }
}

impl<T: FromStr<Err: Fault>> FromStr for Several<T> {
    type Err = ListFault<T::Err>;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        if parts.iter().any(|part| part.is_empty()) {
            return Err(ListFault::Empty);
        }
        if parts.len() > MOST {
            return Err(ListFault::TooMany);
        }
        parts.into_iter().map(|part| part.parse().map_err(ListFault::Value)).collect::<Result<_, _>>().map(Self)
    }
}

impl<T: FromStr<Err: Fault>> Deserr<Faults> for Several<T> {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef) -> Result<Self, Faults> {
        let text = <String as Deserr<Faults>>::deserialize_from_value(value, place)?;
        text.parse().map_err(|fault| deserr::take_cf_content(<Faults as MergeWithError<_>>::merge(None, fault, place)))
    }
}

/// `true` or `false`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag(pub bool);

/// The text is neither.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("must be true or false")]
pub struct NotAFlag;

impl Fault for NotAFlag {
    fn code(&self) -> &'static str {
        "not_one_of"
    }
}

impl FromStr for Flag {
    type Err = NotAFlag;

    fn from_str(text: &str) -> Result<Self, NotAFlag> {
        text.parse().map(Self).map_err(|_| NotAFlag)
    }
}

parsed_field!(Flag);

/// Declares a value that is one of a few names, for lists of them.
macro_rules! names {
    ($(#[doc = $about:literal] $name:ident: $($(#[$each:meta])* $variant:ident = $text:literal),+;)+) => {$(
        #[doc = $about]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {$($(#[$each])* $variant),+}

        crate::schema::one_of!($name, $about, [$($text),+]);

        impl std::str::FromStr for $name {
            type Err = crate::parameters::NotOneOf;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(crate::parameters::NotOneOf(&[$($text),+])),
                }
            }
        }
    )+};
}
pub(crate) use names;

/// The text is none of the names.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("must be one of: {}", .0.join(", "))]
pub struct NotOneOf(pub(crate) &'static [&'static str]);

impl Fault for NotOneOf {
    fn code(&self) -> &'static str {
        "not_one_of"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::TaskId;

    #[test]
    fn a_list_has_values_between_commas_and_not_too_many() {
        let code = |text: &str| text.parse::<Several<TaskId>>().map(|list| list.0.len()).map_err(|fault| fault.code());
        let id = TaskId::new().to_string();
        assert_eq!(code(&id), Ok(1));
        assert_eq!(code(&format!("{id}, {id}")), Ok(2));
        assert_eq!(code(""), Err("empty"));
        assert_eq!(code(&format!("{id},")), Err("empty"));
        assert_eq!(code(&format!("{id},me")), Err("not_an_id"));
        assert_eq!(code(&vec![id; 51].join(",")), Err("too_many"));
    }
}
