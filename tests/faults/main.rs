//! What breaks, breaks here on purpose.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "in a test a panic is a verdict"
)]

mod mail_server;
mod redis;
mod worker;
