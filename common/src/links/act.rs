//! Done, and later.

use super::{
    Deed, Did, LinkedTask, Postponement, Standing,
    later::words,
    look::{Linked, open},
};
use crate::{
    access::{Committed, Delivered, Scope},
    audit::Origin,
    db::Db,
    deliveries::{self, Snooze, Until},
    error::{Error, Result},
    mails::MailKind,
    precondition::Precondition,
    secrets::Token,
    tasks::{self, TaskRef},
};

/// How often a deed is tried while others change the task at the same moment.
const TRIES: usize = 5;

/// Completes the task.
///
/// # Errors
/// [`Error::NotFound`] as [`super::look`], [`Error::Busy`].
pub async fn complete(db: &Db, token: &Token, origin: &Origin) -> Result<Did> {
    for _ in 0..TRIES {
        let (scope, about) = open(db, token, origin).await?;
        let deed = match about.task.as_ref().map(|task| (task, completable(task))) {
            None => Deed::Unseen,
            Some((_, Err(why_not))) => why_not,
            // Of the version that was looked at: asking twice completes no second time of a task that comes round
            // (tests/pages/mail.rs: `a_task_that_comes_round_is_completed_once_however_often_it_is_asked_for`).
            Some((task, Ok(()))) => match finish(scope, &about, task).await {
                Err(Error::Stale { .. }) => continue,
                done => done?,
            },
        };
        return Ok(Did { about, deed });
    }
    Err(Error::Busy)
}

fn completable(task: &LinkedTask) -> Result<(), Deed> {
    match task.standing {
        Standing::Completed => Err(Deed::CompletedBefore),
        Standing::Over => Err(Deed::Over),
        Standing::Archived => Err(Deed::Archived),
        Standing::Open if !task.may_complete => Err(Deed::NotTheirs),
        Standing::Open => Ok(()),
    }
}

async fn finish(mut scope: Scope<Delivered>, about: &Linked, task: &LinkedTask) -> Result<Deed> {
    let version = Precondition::OneOf(vec![task.version]);
    let done = tasks::complete(&mut scope, &TaskRef::Id(task.id), &version).await?;
    let done = scope.commit(done).await.map(Committed::into_inner)?;
    let again = done.task.completed_at.is_none();
    let next = done.task.due.filter(|_| again).map(|due| due.in_words(&about.zone));
    Ok(Deed::Completed { next })
}

/// Lets the reminder come once more.
///
/// # Errors
/// [`Error::NotFound`] as [`super::look`].
pub async fn snooze(db: &Db, token: &Token, until: &Postponement, origin: &Origin) -> Result<Did> {
    let (mut scope, about) = open(db, token, origin).await?;
    let why_not = match about.task.as_ref().map(|task| task.standing) {
        None => Some(Deed::Unseen),
        Some(Standing::Completed) => Some(Deed::CompletedBefore),
        Some(Standing::Over) => Some(Deed::Over),
        Some(Standing::Archived) => Some(Deed::Archived),
        Some(Standing::Open) => None,
    };
    if about.kind != MailKind::Reminder {
        return Err(Error::NotFound);
    }
    if let Some(deed) = why_not {
        return Ok(Did { about, deed });
    }
    let at = until.until.timestamp();
    let snooze = Snooze::Until { until: Until::At { at } };
    let deed = match deliveries::snooze(&mut scope, about.delivery, &snooze).await {
        Ok(planned) => {
            let planned = scope.commit(planned).await.map(Committed::into_inner)?;
            // Quiet hours may put it off further than was asked for.
            let until = planned.plan.iter().find_map(|share| share.due_at).unwrap_or(at);
            Deed::Snoozed { until: words(&until.to_zoned(about.zone.rules().clone())) }
        }
        Err(Error::Invalid(_)) => Deed::NoSuchMoment,
        Err(Error::Conflict { code: "not_wanted", .. }) => Deed::NotWanted,
        Err(Error::Conflict { code: "task_completed", .. }) => Deed::CompletedBefore,
        Err(fault) => return Err(fault),
    };
    Ok(Did { about, deed })
}
