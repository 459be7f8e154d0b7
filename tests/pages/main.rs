//! The pages that links in mails open, in a real browser.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "in a test a panic is a verdict"
)]

mod answers;
mod browser;
mod email;
mod invitation;
mod mail;
mod mails;
mod people;
mod quiet;
mod reference;
mod reminded;
mod reset;
mod standards;
mod verify;
