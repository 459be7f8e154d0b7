//! The instrument that looks for lost mail (docs/verification.md): processes that are killed, a mail server and a wire to
//! Postgres that stop where a test wants them to, a client that writes down what it was promised, and a checker that compares
//! this, offline, with what arrived. Nothing of the product is replaced.

mod cast;
pub mod checker;
mod client;
mod cluster;
pub mod driver;
pub mod journal;
pub mod mutants;
pub mod process;
pub mod proxy;
pub mod report;
pub mod scenarios;
pub mod smtp;
pub mod strikes;
mod tally;
pub mod tiers;
pub mod watch;
mod world;

pub use cast::{Cast, Org, Person};
pub use client::{Answer, Client};
pub use tally::{Figures, Tally};
pub use world::{Clock, Queue, World};

/// The clock of the client and of the mail server, which are this process.
#[expect(clippy::disallowed_methods, reason = "this is an edge: a client's clock, and a mail server's")]
#[must_use]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
