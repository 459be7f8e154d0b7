//! Nothing is lost, nothing is early, nothing is repeated but in the one window: while processes are killed and servers fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "in a test a panic is a verdict"
)]

mod checker;
mod crowd;
mod edits;
mod failpoints;
mod paused;
mod random;
mod redis;
mod stage;
