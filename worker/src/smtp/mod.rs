//! SMTP, with the phase always known: what may be repeated and what may not is decided by how far a conversation came.
//!
//! [`Relay::open`] talks up to the server's 354 and answers with a [`ReadyForBody`]; only that can send, and only once.
//! Between the two lies the moment to write `sending` down. lettre's own transport hides that moment, and sends on a socket
//! without `TCP_NODELAY`; this module is its connection with both put right.

mod breaker;
mod connect;
mod conversation;
mod failure;
mod lines;
mod pace;
mod relay;
mod server;
#[cfg(test)]
mod tests;
mod tls;
mod turns;
mod verdict;

pub(crate) use breaker::{Breaker, Pass};
pub(crate) use conversation::{Accepted, Envelope, ReadyForBody};
pub(crate) use failure::{Cause, Failure, Step};
pub(crate) use pace::Pace;
pub(crate) use relay::{Limits, Relay};
pub(crate) use server::{Patience, Server};
pub(crate) use verdict::{Verdict, verdict};
