//! The API's description, judged by others: public linters, and a client that a public tool makes of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "in a test a panic is a verdict"
)]

mod linters;
mod typed;
mod workshop;
