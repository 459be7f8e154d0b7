//! From a task that falls due to a mail in the inbox, over real Postgres, Redis and SMTP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "in a test a panic is a verdict"
)]

mod comments;
mod digests;
mod erased;
mod folded;
mod folding;
mod hints;
mod last_moment;
mod operators;
mod outcomes;
mod purge;
mod queue;
mod refusals;
mod reminders;
mod replans;
mod server_keys;
mod sight;
mod superseded;
mod sweep;
mod timetable;
mod turns;
