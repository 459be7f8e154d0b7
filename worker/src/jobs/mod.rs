//! What the worker does: one file for each job.

mod deliver;
mod end;
mod lease;
mod purge;
mod replans;
mod sweep;

pub(crate) use deliver::{Mailer, deliver};
pub(crate) use purge::purge;
pub(crate) use replans::replans;
pub(crate) use sweep::sweep;
