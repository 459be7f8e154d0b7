//! What the worker does: one file for each job.

mod deliver;
mod end;
mod lease;
mod links;
mod purge;
mod sweep;

pub(crate) use deliver::{Mailer, deliver};
pub(crate) use links::links;
pub(crate) use purge::purge;
pub(crate) use sweep::sweep;
