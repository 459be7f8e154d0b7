//! What the worker does: one file for each job.

mod deliver;
mod end;
mod lane;
mod lease;
mod purge;
mod replans;
mod statements;
mod sweep;

pub(crate) use deliver::{Mailer, deliver};
pub(crate) use purge::purge;
pub(crate) use replans::replans;
pub(crate) use statements::Desk;
pub(crate) use sweep::sweep;
