//! What no derive can describe: a task of which only parts were asked for, and deeds that need different things.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr,
        extensions::Extensions,
        schema::{AnyOfBuilder, ObjectBuilder, OneOfBuilder, RefBuilder, Schema, Type},
    },
};

use super::{
    NewTask, Task, TaskChanges, TaskRef,
    batch::{Operation, Version},
    view::{Beside, TaskView, WholeTask},
};

type Components = Vec<(String, RefOr<Schema>)>;

const PART: &str = "TaskPart";

impl PartialSchema for TaskView {
    fn schema() -> RefOr<Schema> {
        AnyOfBuilder::new()
            .description(Some("A task as it was asked for: whole, or with `fields` a part of it."))
            .item(WholeTask::schema())
            .item(Ref::from_schema_name(PART))
            .into()
    }
}

impl ToSchema for TaskView {
    fn name() -> Cow<'static, str> {
        WholeTask::name()
    }

    fn schemas(schemas: &mut Components) {
        WholeTask::schemas(schemas);
        schemas.push((PART.to_owned(), part()));
    }
}

/// What `fields` leaves of a task: each of its fields may be there.
fn part() -> RefOr<Schema> {
    let mut objects = [Task::schema(), Beside::schema()].into_iter().filter_map(|schema| match schema {
        RefOr::T(Schema::Object(object)) => Some(object),
        _ => None,
    });
    let mut part = objects.next().unwrap_or_default();
    part.properties.extend(objects.flat_map(|beside| beside.properties));
    part.required.clear();
    part.description = Some("A part of a task: the `fields` that were asked for, and no others.".to_owned());
    part.extensions = Some(Extensions::builder().add("x-partial", true).build());
    part.into()
}

/// The deeds of a batch: what each is like, and which fields it has.
const DEEDS: [(&str, &str, &[Field]); 7] = [
    ("create", "As by `POST …/tasks`.", &[Field("task", "NewTask", "The new task.", true)]),
    (
        "update",
        "As by `PATCH …/tasks/{id}`.",
        &[WHICH, VERSION, Field("changes", "TaskChanges", "What changes.", true)],
    ),
    ("complete", "As by `PUT …/tasks/{id}/completion`.", &[WHICH, VERSION_PERHAPS]),
    ("reopen", "As by `DELETE …/tasks/{id}/completion`.", &[WHICH, VERSION_PERHAPS]),
    ("delete", "As by `DELETE …/tasks/{id}`.", &[WHICH, VERSION]),
    ("restore", "As by `DELETE …/tasks/{id}/deletion`.", &[WHICH, VERSION_PERHAPS]),
    ("move", "As by `PUT …/tasks/{id}/position`.", &[WHICH, VERSION_PERHAPS, AFTER]),
];

/// Its name, its type, what it is, and whether it must be there.
struct Field(&'static str, &'static str, &'static str, bool);

const WHICH: Field = Field("id", "TaskRef", "Which task.", true);
// Where it must be there and is not, that deed alone is refused.
const VERSION: Field = Field("if_match", "Version", MUST_BE_MEANT, false);
const VERSION_PERHAPS: Field = Field("if_match", "Version", MEANT, false);
const AFTER: Field =
    Field("after", "TaskRef", "Behind which task of the same project; null: before all of them.", true);
const MUST_BE_MEANT: &str = "Which version of it is meant, as `If-Match` would say it; without it the deed is refused.";
const MEANT: &str = "Which version of it is meant, as `If-Match` would say it.";

impl PartialSchema for Operation {
    fn schema() -> RefOr<Schema> {
        let deed = |(op, about, fields): (&str, &str, &[Field])| {
            let name = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([op]));
            let deed = ObjectBuilder::new().description(Some(about)).required("op");
            let deed = deed.property("op", name.description(Some("What is done.")));
            fields.iter().fold(deed, |deed, Field(field, of, about, must)| {
                let held = RefBuilder::new().ref_location_from_schema_name(*of).description(Some(*about)).build();
                let deed = if *must { deed.required(*field) } else { deed };
                match *field {
                    "after" => deed.property(
                        *field,
                        OneOfBuilder::new().item(held).item(ObjectBuilder::new().schema_type(Type::Null)),
                    ),
                    _ => deed.property(*field, held),
                }
            })
        };
        DEEDS
            .into_iter()
            .fold(OneOfBuilder::new(), |all, of| all.item(deed(of)))
            .description(Some("One deed, with what it needs."))
            .into()
    }
}

impl ToSchema for Operation {
    fn name() -> Cow<'static, str> {
        "BatchOperation".into()
    }

    fn schemas(schemas: &mut Components) {
        schemas.push((TaskRef::name().into_owned(), TaskRef::schema()));
        schemas.push((Version::name().into_owned(), Version::schema()));
        schemas.push((NewTask::name().into_owned(), NewTask::schema()));
        schemas.push((TaskChanges::name().into_owned(), TaskChanges::schema()));
        NewTask::schemas(schemas);
        TaskChanges::schemas(schemas);
    }
}
