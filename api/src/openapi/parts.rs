//! What each kind of argument means for a client.

use common::{
    access::{OrgRef, Permission, Personal, ReadTasks},
    exchange::Arrived,
    input::Input,
    sessions::WithPassword,
};
use rocket::State;
use utoipa::ToSchema;

use super::sketch::{Part, Sketch};
use crate::guards::{
    Asked, Body, Caller, Id, IfMatch, In, Mine, Once, Org, Proved, Query, Still, Sure, SureMine, Upload,
};

impl Sketch {
    fn has_body<T: Input + ToSchema>(&mut self) {
        self.body = Some(self.known::<T>());
        self.refuses(&[400, 408, 413, 415, 422]);
    }

    /// The path begins with an organization, in which the caller holds `P`.
    fn is_within<P: Permission>(&mut self) {
        self.refer::<OrgRef>();
        let needs = match P::BITS {
            0 => "Any member may.".to_owned(),
            _ => format!("Needs the permission `{}`.", P::NAME),
        };
        self.needs = Some((needs, Some(P::NAME)));
        self.refuses(&[308, 401, 403, 404]);
    }

    /// It is about the caller's own account.
    fn is_personal<P: Personal>(&mut self) {
        let needs = match P::SCOPE {
            0 => "Needs a session; personal tokens manage no account.",
            tasks if tasks & ReadTasks::BITS != 0 => {
                "Needs a session, or a personal token with `me:read` and `tasks:read`."
            }
            _ => "Needs a session, or a personal token with `me:read`.",
        };
        self.needs = Some((needs.to_owned(), Some(if P::SCOPE == 0 { "session" } else { "me:read" })));
        self.refuses(&[401, 403]);
    }

    /// The password is asked for again; a wrong one counts as a guess.
    fn is_proved(&mut self) {
        if let Some((needs, _)) = &mut self.needs {
            needs.push_str(" The caller's password stands in the body.");
        }
        self.refuses(&[404, 429]);
    }
}

impl<P: Permission> Part for Org<P> {
    fn describe(sketch: &mut Sketch) {
        sketch.is_within::<P>();
    }
}

impl<P: Permission> Part for Still<P> {
    fn describe(sketch: &mut Sketch) {
        sketch.is_within::<P>();
    }
}

impl<P: Permission, T: Arrived, Q: Input + ToSchema> Part for Upload<P, T, Q> {
    fn describe(sketch: &mut Sketch) {
        sketch.is_within::<P>();
        sketch.query = Some(sketch.known::<Q>());
        let (top, sub) = T::MEDIA;
        sketch.upload = Some(format!("{top}/{sub}"));
        sketch.refuses(&[400, 408, 413, 415, 422]);
    }
}

impl<P: Permission, T: Input + ToSchema> Part for In<P, T> {
    fn describe(sketch: &mut Sketch) {
        sketch.is_within::<P>();
        sketch.has_body::<T>();
    }
}

impl<P: Permission, T: Input + ToSchema> Part for Sure<P, T> {
    fn describe(sketch: &mut Sketch) {
        sketch.is_within::<P>();
        sketch.has_body::<T>();
        sketch.is_proved();
    }
}

impl<P: Personal> Part for Caller<P> {
    fn describe(sketch: &mut Sketch) {
        sketch.is_personal::<P>();
    }
}

impl<T: Input + ToSchema> Part for Mine<T> {
    fn describe(sketch: &mut Sketch) {
        sketch.is_personal::<common::access::Me>();
        sketch.has_body::<T>();
        // What the body names may not be there.
        sketch.refuses(&[404]);
    }
}

impl<T: Input + ToSchema> Part for Proved<T> {
    fn describe(sketch: &mut Sketch) {
        sketch.is_personal::<common::access::Me>();
        sketch.has_body::<T>();
        sketch.is_proved();
    }
}

impl Part for SureMine {
    fn describe(sketch: &mut Sketch) {
        Proved::<WithPassword>::describe(sketch);
    }
}

impl<T: Input + ToSchema> Part for Body<T> {
    fn describe(sketch: &mut Sketch) {
        sketch.has_body::<T>();
        sketch.refuses(&[401, 403, 404, 429]);
    }
}

impl<T: Input + ToSchema> Part for Query<T> {
    fn describe(sketch: &mut Sketch) {
        sketch.query = Some(sketch.known::<T>());
        sketch.refuses(&[400]);
        // Who follows changes may come too late for them.
        if T::name() == "ChangesSince" {
            sketch.refuses(&[410]);
        }
    }
}

impl<T: ToSchema> Part for Id<T> {
    fn describe(sketch: &mut Sketch) {
        let schema = sketch.refer::<T>();
        sketch.segments.push(schema);
        sketch.refuses(&[404]);
        // A deleted one says so, to whoever might restore it, whatever is asked of it.
        if T::name() == "TaskRef" {
            sketch.refuses(&[409]);
        }
    }
}

impl<G: Part> Part for Once<G> {
    fn describe(sketch: &mut Sketch) {
        G::describe(sketch);
        sketch.once = true;
    }
}

impl Part for IfMatch {
    fn describe(sketch: &mut Sketch) {
        sketch.versioned = true;
        sketch.refuses(&[400, 412]);
    }
}

impl Part for Asked {
    fn describe(_: &mut Sketch) {}
}

impl<T: Send + Sync + 'static> Part for &State<T> {
    fn describe(_: &mut Sketch) {}
}
