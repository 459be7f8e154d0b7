//! The binary, watched from outside: its processes, its words, its exit codes.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is a verdict")]

mod admin;
mod errors;
mod exchange;
mod process;
mod readme;
mod tour;
mod up;
