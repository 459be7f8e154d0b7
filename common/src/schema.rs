//! What inputs and answers look like in JSON, for the API's description of itself (docs/adr/0020). Most types derive it; here is
//! how the others say it.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ArrayBuilder, ObjectBuilder, Type},
    },
};

use crate::{
    access::{Permissions, RolePermissions, Scopes},
    input::{Given, OrNull, Patch},
};

/// A component of the description: its name and its schema.
type Component = (String, RefOr<Schema>);

/// Describes a type that is read from, or written as, a string: with an example, and with what it looks like (a pattern of
/// ECMA-262, which means the same to Python and to Rust) and how many characters it has, if it says.
macro_rules! reads_as_text {
    ($name:ident, $description:expr, $example:expr $(, $limit:ident: $value:expr)* $(,)?) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some($description))
                    $(.$limit(Some($value)))*
                    .examples([$example])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use reads_as_text;

/// The pattern of an id, without its ends; one group for each of what it is written between.
macro_rules! id_pattern {
    ($before:literal, $behind:literal) => {
        concat!($before, "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}", $behind)
    };
}
pub(crate) use id_pattern;

/// Describes a text that is one of a few words: a type that there is for the description alone. What the database allows may grow, and
/// the harness holds every answer against it (tests/harness/contract.rs).
macro_rules! words {
    ($(#[doc = $about:literal] $name:ident: $($word:literal),+;)+) => {$(
        #[doc = $about]
        pub(crate) enum $name {}

        crate::schema::one_of!($name, $about, [$($word),+]);
    )+};
}
pub(crate) use words;

/// Describes a type that is one of some words.
macro_rules! one_of {
    ($name:ident, $about:expr, $words:expr) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some($about.trim()))
                    .enum_values(Some($words))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use one_of;

/// Describes a list of anything, called after its elements: `data`, and what else it has. Derived, it would forget to describe the elements.
#[macro_export]
macro_rules! list_schema {
    ($list:ident, $name:literal, $description:literal $(, $field:ident: $type:ty = $about:literal)*) => {
        impl<T: utoipa::ToSchema> utoipa::PartialSchema for $list<T> {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, RefBuilder, Ref};
                let data = ArrayBuilder::new().items(Ref::from_schema_name(T::name())).description(Some("The elements."));
                ObjectBuilder::new()
                    .description(Some($description))
                    .property("data", data)
                    .required("data")
                    $(.property(stringify!($field), RefBuilder::new()
                        .ref_location_from_schema_name(<$type as utoipa::ToSchema>::name()).description(Some($about)))
                        .required(stringify!($field)))*
                    .into()
            }
        }

        impl<T: utoipa::ToSchema> utoipa::ToSchema for $list<T> {
            fn name() -> std::borrow::Cow<'static, str> {
                format!("{}{}", T::name(), $name).into()
            }

            fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>) {
                $(
                    schemas.push((<$type as utoipa::ToSchema>::name().into_owned(), <$type as utoipa::PartialSchema>::schema()));
                    <$type as utoipa::ToSchema>::schemas(schemas);
                )*
                schemas.push((T::name().into_owned(), T::schema()));
                T::schemas(schemas);
            }
        }
    };
}
pub(crate) use list_schema as list;

/// A field that may be absent looks like what it holds; that it may be is for the object to say. Derives ask what is generic for this
/// trait of utoipa's macros, and for no other.
macro_rules! looks_like_what_it_holds {
    ($($wrapper:ident),+) => {$(
        impl<T: ToSchema> utoipa::__dev::ComposeSchema for $wrapper<T> {
            fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
                T::schema()
            }
        }

        impl<T: ToSchema> ToSchema for $wrapper<T> {
            fn name() -> Cow<'static, str> {
                stringify!($wrapper).into()
            }

            fn schemas(schemas: &mut Vec<Component>) {
                schemas.push((T::name().into_owned(), T::schema()));
                T::schemas(schemas);
            }
        }
    )+};
}

looks_like_what_it_holds!(Given, Patch, OrNull);

/// The name of one permission, of those that `all` holds.
fn names(all: Permissions, description: &str, example: &str) -> ArrayBuilder {
    let name = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(all.names()));
    ArrayBuilder::new().items(name).unique_items(true).description(Some(description)).examples([[example]])
}

impl PartialSchema for Permissions {
    fn schema() -> RefOr<Schema> {
        names(Self::every(), "The names of some permissions.", "tasks:read").into()
    }
}
impl ToSchema for Permissions {}

impl PartialSchema for RolePermissions {
    fn schema() -> RefOr<Schema> {
        let description = "What a custom role gives: any permissions but the owners'. Implied ones are added.";
        names(Self::every(), description, "tasks:write").into()
    }
}
impl ToSchema for RolePermissions {}

impl PartialSchema for Scopes {
    fn schema() -> RefOr<Schema> {
        let description = "What a personal token may do at most. Implied permissions are added.";
        names(Permissions::every(), description, "tasks:read").min_items(Some(1)).into()
    }
}
impl ToSchema for Scopes {}
