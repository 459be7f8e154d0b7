//! What the worker does: one file for each job.

mod deliver;
mod digests;
mod end;
mod lane;
mod lease;
mod links;
mod purge;
mod replans;
mod statements;
mod sweep;
mod timetable;

pub(crate) use deliver::{Mailer, deliver};
pub(crate) use digests::digests;
pub(crate) use links::links;
pub(crate) use purge::{forget_tries, purge};
pub(crate) use replans::replans;
pub(crate) use statements::Desk;
pub(crate) use sweep::sweep;
pub(crate) use timetable::{Job, timetable};

/// Waits until a stop is told.
async fn told(stopped: &mut tokio::sync::watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
