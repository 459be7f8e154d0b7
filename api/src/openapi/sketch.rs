//! What one operation is like, as far as the types of its handler tell: each argument and the answer add their part.

use std::collections::BTreeMap;

use common::input::{FieldFault, Input, read};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// Asks the reader of an input what is wrong with a value.
pub(crate) type Reader = fn(Value) -> Vec<FieldFault>;

/// An input: the name of its schema, and its reader.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) schema: String,
    pub(crate) reader: Reader,
}

/// What is known of an operation while its types are asked.
#[derive(Default)]
pub(crate) struct Sketch {
    /// The schemas of the path's parameters, in their order.
    pub(crate) segments: Vec<Value>,
    /// Whether it reads which version is meant.
    pub(crate) versioned: bool,
    /// Whether it must come with a key.
    pub(crate) once: bool,
    /// Whether it can say that the client has it already.
    pub(crate) tagged: bool,
    pub(crate) query: Option<Known>,
    pub(crate) body: Option<Known>,
    /// A body that is no JSON: its media type.
    pub(crate) upload: Option<String>,
    /// What the caller needs, for people and for machines; none where anybody may call.
    pub(crate) needs: Option<(String, Option<&'static str>)>,
    /// The answer when all goes well.
    pub(crate) success: Option<(u16, Value)>,
    /// The headers of that answer, beside those of every one.
    pub(crate) tells: Vec<&'static str>,
    /// The statuses of refusals.
    pub(crate) refusals: Vec<u16>,
    pub(crate) schemas: BTreeMap<String, Value>,
    /// Schemas of answers.
    pub(crate) shown: Vec<String>,
}

impl Sketch {
    /// Takes in a type with all that it consists of, and gives a reference to it.
    pub(crate) fn refer<T: ToSchema>(&mut self) -> Value {
        let mut parts = Vec::new();
        T::schemas(&mut parts);
        let name = named::<T>();
        parts.push((name.clone(), T::schema()));
        for (name, schema) in parts {
            if let Ok(schema) = serde_json::to_value(schema) {
                self.schemas.insert(name, schema);
            }
        }
        reference(&name)
    }

    /// An input: what its reader must be asked about.
    pub(crate) fn known<T: Input + ToSchema>(&mut self) -> Known {
        self.refer::<T>();
        let reader = |value| read::<T>(value).err().map_or_else(Vec::new, |faults| faults.0);
        Known { schema: named::<T>(), reader }
    }

    /// An answer of JSON.
    pub(crate) fn shows<T: ToSchema>(&mut self, status: u16, description: &str) {
        let schema = self.refer::<T>();
        self.shows_as(&named::<T>(), &schema, status, description);
    }

    /// An answer whose schema is put together here.
    pub(crate) fn shows_as(&mut self, name: &str, schema: &Value, status: u16, description: &str) {
        self.shown.push(name.to_owned());
        let content = json!({ "application/json": { "schema": schema } });
        self.success = Some((status, json!({ "description": description, "content": content })));
    }

    /// An answer that is no JSON.
    pub(crate) fn shows_media(&mut self, status: u16, media: &str, description: &str) {
        let content = text_of(media);
        self.success = Some((status, json!({ "description": description, "content": content })));
    }

    /// An answer without a body.
    pub(crate) fn shows_nothing(&mut self, status: u16, description: &str) {
        self.success = Some((status, json!({ "description": description })));
    }

    pub(crate) fn refuses(&mut self, statuses: &[u16]) {
        self.refusals.extend(statuses);
    }
}

/// What is no JSON: a media type, and how one begins.
const TEXTS: [(&str, &str); 3] = [
    ("text/calendar", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Taskbell//Taskbell//EN\r\nEND:VCALENDAR\r\n"),
    ("text/csv", "title,labels,due\nPay the rent,urgent,2031-03-01\n"),
    (
        "application/x-ndjson",
        concat!(
            r#"{"type":"taskbell","version":1,"organization":{"slug":"acme","name":"Acme and Sons","time_zone":"Europe/Berlin"}}"#,
            "\n"
        ),
    ),
];

/// Content that is no JSON.
pub(crate) fn text_of(media: &str) -> Value {
    let example = TEXTS.iter().find(|(known, _)| media.starts_with(known)).map(|(_, text)| *text);
    json!({ media: { "schema": { "type": "string" }, "example": example } })
}

fn named<T: ToSchema>() -> String {
    T::name().into_owned()
}

/// A reference to a schema.
pub(crate) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The name of the schema that is referred to.
pub(crate) fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

/// The object that is there or is made.
pub(crate) fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(object) => object,
        _ => unreachable!("it has just been made one"),
    }
}

/// An argument of a handler.
pub(crate) trait Part {
    fn describe(sketch: &mut Sketch);
}

/// What a handler answers with.
pub(crate) trait Shows {
    fn describe(sketch: &mut Sketch);
}

/// A handler: a function each argument of which is a [`Part`].
pub(crate) trait Handler<Arguments> {
    fn describe(sketch: &mut Sketch);
}

macro_rules! handlers {
    ($(($($argument:ident),*))+) => {$(
        impl<F, Answering, Answer, $($argument),*> Handler<(Answering, $($argument,)*)> for F
        where
            F: Fn($($argument),*) -> Answering,
            Answering: Future<Output = Answer>,
            Answer: Shows,
            $($argument: Part,)*
        {
            fn describe(sketch: &mut Sketch) {
                $($argument::describe(sketch);)*
                Answer::describe(sketch);
            }
        }
    )+};
}

handlers! {
    ()
    (A)
    (A, B)
    (A, B, C)
    (A, B, C, D)
    (A, B, C, D, E)
    (A, B, C, D, E, G)
}

/// How a handler describes itself.
pub(crate) fn describer<H: Handler<Arguments>, Arguments>(_: &H) -> fn(&mut Sketch) {
    H::describe
}
