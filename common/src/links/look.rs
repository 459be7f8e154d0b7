//! What a link is about, as its reader finds it now.

use jiff::{Timestamp, civil};

use super::later::{Later, laters};
use crate::{
    access::{CompleteTasks, Delivered, ReadTasks, Scope},
    audit::Origin,
    db::Db,
    error::{Error, Result},
    ids::{DeliveryId, TaskId},
    mails::MailKind,
    secrets::Token,
    tasks::{self, Task, TaskRef, TaskStatus},
    time::{Hour, TimeZoneName},
};

/// What a link is about.
#[derive(Clone, Debug)]
pub struct Linked {
    /// What the mail was.
    pub kind: MailKind,
    /// The organization's name.
    pub organization: String,
    /// Whom the link lets in.
    pub email: String,
    /// The task, if there is one that the reader may see.
    pub task: Option<LinkedTask>,
    /// Whether what the mail was is still wanted.
    pub wanted: bool,
    pub(super) delivery: DeliveryId,
    pub(super) zone: TimeZoneName,
}

/// The task that a mail is about.
#[derive(Clone, Debug)]
pub struct LinkedTask {
    /// `OPS-42`.
    pub key: String,
    /// One line.
    pub title: String,
    /// The project's name.
    pub project: String,
    /// When it is due, in words of the reader's zone.
    pub due: Option<String>,
    /// Where it stands.
    pub standing: Standing,
    /// Whether the reader may complete it.
    pub may_complete: bool,
    /// Whether the reader wants no mail about it.
    pub muted: bool,
    /// Whether the reader wants none about its project.
    pub project_muted: bool,
    /// Until when it can be put off.
    pub laters: Vec<Later>,
    pub(super) id: TaskId,
    pub(super) version: i32,
}

/// Where a task stands that a mail was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// To do.
    Open,
    /// Done.
    Completed,
    /// It comes round, and the time that the mail was about is over.
    Over,
    /// To do, but nothing in its project changes any more.
    Archived,
}

/// What a token is about; changes nothing.
///
/// # Errors
/// [`Error::NotFound`] when it is unknown or too old, or its reader is no active member any more.
pub async fn look(db: &Db, token: &Token, origin: &Origin) -> Result<Linked> {
    open(db, token, origin).await.map(|(_, linked)| linked)
}

/// The same, to act on.
pub(super) async fn open(db: &Db, token: &Token, origin: &Origin) -> Result<(Scope<Delivered>, Linked)> {
    let mut scope = db.begin_mail(token, origin).await?;
    let hash = token.hash();
    let row = sqlx::query!(
        r#"select d.id as "id: DeliveryId", d.kind as "kind: MailKind", d.task_id as "task_id: TaskId", o.name as organization, a.email,
                  coalesce(a.time_zone, o.time_zone) as "zone!", n.reminder_hour as "hour: jiff_sqlx::Time", now() as "now!",
                  case d.kind when 'digest' then n.digest_hour is not null when 'comment' then coalesce(n.comments, true)
                              else coalesce(n.reminders, true) end as "wanted!",
                  -- Of a mail for many, the place of this one in it.
                  coalesce((m.content #>> '{about,occurrence}')::int,
                           (select (told ->> 'occurrence')::int from jsonb_array_elements(m.content #> '{about,reminders}') told
                            where told ->> 'delivery' = d.id::text)) as occurrence
           from deliveries d
                join mails m on m.id = d.mail_id
                join organizations o on o.id = d.org_id
                join accounts a on a.id = d.account_id
                left join notification_settings n on n.org_id = d.org_id and n.account_id = d.account_id
           where d.link_hash = $1 and d.account_id = current_account()"#,
        hash.as_bytes(),
    )
    .fetch_one(scope.sql())
    .await?;
    let zone = TimeZoneName::stored(&row.zone);
    let hour = row.hour.map_or(Hour::MORNING, Hour::stored).time();
    let task = match row.task_id {
        Some(id) => task(&mut scope, id, row.occurrence, &zone, (row.now.to_jiff(), hour)).await?,
        None => None,
    };
    let linked = Linked {
        kind: row.kind,
        organization: row.organization,
        email: row.email,
        task,
        wanted: row.wanted,
        delivery: row.id,
        zone,
    };
    Ok((scope, linked))
}

/// The task, if the reader may see it; `occurrence` is the one that the mail was about.
async fn task(
    scope: &mut Scope<Delivered>,
    id: TaskId,
    occurrence: Option<i32>,
    zone: &TimeZoneName,
    (now, hour): (Timestamp, civil::Time),
) -> Result<Option<LinkedTask>> {
    let (project, task) = match tasks::find::<ReadTasks>(scope, &TaskRef::Id(id)).await {
        Ok(found) => found,
        Err(Error::NotFound | Error::Forbidden(_) | Error::Conflict { .. }) => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let standing = match &task {
        task if task.status == TaskStatus::Completed => Standing::Completed,
        task if is_over(task, occurrence) => Standing::Over,
        _ if project.in_use().is_err() => Standing::Archived,
        _ => Standing::Open,
    };
    let around = sqlx::query!(
        r#"select p.name,
                  exists (select from task_watches w where w.task_id = $2 and w.account_id = current_account() and w.state = 'muted')
                      as "muted!",
                  exists (select from project_mutes q where q.project_id = p.id and q.account_id = current_account()) as "project_muted!"
           from projects p where p.id = $1"#,
        project.id.0,
        id.0,
    )
    .fetch_one(project.core.sql())
    .await?;
    Ok(Some(LinkedTask {
        due: task.due.as_ref().map(|due| due.in_words(zone)),
        standing,
        may_complete: task.permissions.hold::<CompleteTasks>(),
        project: around.name,
        muted: around.muted,
        project_muted: around.project_muted,
        laters: if standing == Standing::Open { laters(now, zone, hour) } else { Vec::new() },
        key: task.key,
        title: task.title,
        id,
        version: task.version,
    }))
}

/// A mail whose words are not kept any more does not tell which time it was about; then it is none that can be acted on.
fn is_over(task: &Task, told: Option<i32>) -> bool {
    match told {
        Some(told) => told != task.occurrence,
        None => task.recurrence.is_some(),
    }
}
