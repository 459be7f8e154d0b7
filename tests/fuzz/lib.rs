//! What must hold of everything that reads what others wrote: no input makes it panic, loop or contradict itself.
//!
//! Each target is a function of bytes. `fuzz/` runs them under libFuzzer, guided by coverage, for as long as one likes;
//! `seeds.rs` runs them in `cargo test` over `seeds/` and mutations of these (docs/verification.md).

#![expect(clippy::missing_panics_doc, reason = "a panic is what a target has to say")]

mod bodies;
mod files;
mod recurrence;
mod texts;
mod times;

pub use bodies::{json, query};
pub use files::{lines, table};
pub use recurrence::rrule;
pub use texts::{credential, cursor, mail, settings, tags, text, token, traceparent};
pub use times::{due, zone};

/// A target: its name, which is that of its folder in `seeds/`, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 15] = [
    ("credential", credential),
    ("cursor", cursor),
    ("due", due),
    ("json", json),
    ("lines", lines),
    ("mail", mail),
    ("query", query),
    ("rrule", rrule),
    ("settings", settings),
    ("table", table),
    ("tags", tags),
    ("text", text),
    ("token", token),
    ("traceparent", traceparent),
    ("zone", zone),
];

/// What a header, a string or a parameter can be: text.
fn utf8(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// That a value which was read is read the same once it is written.
fn one_truth<T: std::str::FromStr + std::fmt::Display>(text: &str) -> Option<T> {
    let value: T = text.parse().ok()?;
    let written = value.to_string();
    let again = written.parse::<T>().ok().map(|again| again.to_string());
    assert_eq!(again.as_ref(), Some(&written), "{text:?}");
    Some(value)
}
