//! The HTTP interface, as clients see it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "in a test a panic is a verdict"
)]

mod accounts;
mod audit;
mod deliveries;
mod errors;
mod invitations;
mod memberships;
mod organizations;
mod pool;
mod projects;
mod tasks;
mod tokens;
