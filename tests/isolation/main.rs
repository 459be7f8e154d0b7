//! No tenant sees another: by the catalog, on plain connections, and from outside.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "in a test a panic is a verdict"
)]

mod catalog;
mod expected;
mod house;
mod matrix;
mod outside;
mod policies;
mod rows;
mod secrets;
mod upgrade;
mod world;
