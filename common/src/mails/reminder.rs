//! What a mail of reminders says: of one, or of many that were folded into it.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff_sqlx::Timestamp as Stored;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Claim, Content, MailKind, Subject,
    content::{Said, Unsaid},
};
use crate::{
    access::{Core, Scope, System, Written},
    error::Result,
    ids::{DeliveryId, MailId, TaskId},
    time::{Due, DueColumns, TimeZoneName},
};

/// A reminder, as its reader understands it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReminderContent {
    /// The organization's name.
    pub organization: String,
    /// The organization's name in URLs.
    pub org_slug: String,
    /// The project's name.
    pub project: String,
    /// The task's id.
    pub task_id: Uuid,
    /// `OPS-42`.
    pub task_key: String,
    /// The task.
    pub title: String,
    /// When the task is due, in words of the reader's zone.
    pub due: Option<String>,
    /// The reader's zone.
    pub time_zone: String,
    /// When the reminder should have gone out.
    pub due_at: Timestamp,
    /// The token of its link is derived from this row.
    #[serde(default)]
    pub delivery: Uuid,
    /// Which time of a task that comes round it is about.
    #[serde(default)]
    pub occurrence: Option<i32>,
}

/// A delivery, its task, and why nobody is owed it any more (`why_not_owed` in `migrations/0083_still_owed.sql`, which commit 2 asks too).
struct Row {
    lead: Uuid,
    held: MailId,
    delivery: DeliveryId,
    email: String,
    name: String,
    organization: String,
    slug: String,
    project: String,
    key: String,
    task_id: TaskId,
    number: i32,
    title: String,
    occurrence: i32,
    due_on: Option<jiff_sqlx::Date>,
    due_local: Option<jiff_sqlx::DateTime>,
    due_zone: Option<String>,
    task_due_at: Option<Stored>,
    zone: String,
    due_at: Stored,
    date: Stored,
    why_not: Option<String>,
    replanned: bool,
}

/// What each mail of reminders among the claims says. What is cancelled meanwhile is to be committed.
pub(super) async fn reminders(
    scope: &mut Scope<System>,
    claims: &[&Claim],
) -> Result<(HashMap<MailId, Said>, Option<Written<()>>)> {
    let claims: Vec<&Claim> = claims.iter().filter(|claim| claim.kind == MailKind::Reminder).copied().collect();
    let mut rows = if claims.is_empty() { HashMap::new() } else { read(scope.core(), &claims).await? };
    let (mut said, mut void) = (HashMap::new(), Vec::new());
    for claim in claims {
        let Some(rows) = rows.remove(&claim.id.0) else { continue };
        said.insert(claim.id, one(&rows));
        // The mail of which nothing is owed ends with its reason, and its deliveries with it.
        if matches!(said.get(&claim.id), Some(Ok(_))) {
            void.extend(rows.into_iter().filter_map(|row| Some((row.held, row.delivery, row.why_not?))));
        }
    }
    let cancelled = if void.is_empty() { None } else { Some(cancel(scope.core(), &void).await?) };
    Ok((said, cancelled))
}

fn one(rows: &[Row]) -> Said {
    if rows.iter().any(|row| row.replanned) {
        return Err(Unsaid::NotNow("the recipient's reminders are being planned anew"));
    }
    let owed: Vec<&Row> = rows.iter().filter(|row| row.why_not.is_none()).collect();
    let Some(first) = owed.first() else {
        let reason = rows.iter().find_map(|row| row.why_not.clone());
        return Err(Unsaid::Void(reason.map_or("nobody is owed it".into(), Into::into)));
    };
    Ok(Content {
        to: first.email.clone(),
        name: Some(first.name.clone()),
        date: first.date.to_jiff(),
        deliveries: owed.iter().map(|row| row.delivery).collect(),
        about: match owed.as_slice() {
            [only] => Subject::Reminder(only.told()),
            many => Subject::Reminders { reminders: many.iter().map(|row| row.told()).collect() },
        },
    })
}

/// All that the mails have to tell, in one statement: of each, the earliest first. What was folded into a mail counts while it is held.
async fn read(core: &mut Core, claims: &[&Claim]) -> Result<HashMap<Uuid, Vec<Row>>> {
    let held: Vec<_> = claims.iter().flat_map(|claim| claim.held().map(|held| (held, claim.id))).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select h.lead as "lead!", m.id as "held: MailId", d.id as "delivery: DeliveryId", a.email, a.name, o.name as organization,
                  o.slug, p.name as project, p.key, t.id as "task_id: TaskId", t.number, t.title, t.occurrence,
                  t.due_on as "due_on: _", t.due_local as "due_local: _",
                  t.due_zone, t.due_at as task_due_at, coalesce(a.time_zone, o.time_zone) as "zone!",
                  d.due_at, clock_timestamp() as "date!", v.reason as why_not, v.waits as "replanned!"
           from unnest($1::uuid[], $2::int[], $3::uuid[]) h (id, fence, lead)
                join mails m on m.id = h.id and m.fence = h.fence and m.state in ('claimed', 'sending')
                join deliveries d on d.mail_id = m.id and d.cancelled_at is null
                join why_not_owed(array(select e.id from deliveries e where e.mail_id = any($1) and e.cancelled_at is null)) v
                     on v.delivery_id = d.id
                join tasks t on t.org_id = d.org_id and t.id = d.task_id
                join projects p on p.org_id = t.org_id and p.id = t.project_id
                join organizations o on o.id = d.org_id
                join accounts a on a.id = d.account_id
           order by d.due_at, d.id"#,
        &held.iter().map(|(held, _)| held.id.0).collect::<Vec<_>>(),
        &held.iter().map(|(held, _)| held.fence).collect::<Vec<_>>(),
        &held.iter().map(|(_, lead)| lead.0).collect::<Vec<_>>(),
    )
    .fetch_all(core.sql())
    .await?;
    let mut mails: HashMap<Uuid, Vec<Row>> = HashMap::new();
    for row in rows {
        mails.entry(row.lead).or_default().push(row);
    }
    Ok(mails)
}

/// Takes single deliveries out of mails that go out for others. The mails first, as whoever cancels does.
async fn cancel(core: &mut Core, void: &[(MailId, DeliveryId, String)]) -> Result<Written<()>> {
    sqlx::query!(
        "with held as (select id from mails where id = any($1) order by id for update)
         update deliveries d set cancelled_at = now(), reason = void.reason
         from held, unnest($1::uuid[], $2::uuid[], $3::text[]) void (mail_id, id, reason)
         where d.mail_id = held.id and void.mail_id = held.id and d.id = void.id and d.cancelled_at is null",
        &void.iter().map(|(held, ..)| held.0).collect::<Vec<_>>(),
        &void.iter().map(|(_, delivery, _)| delivery.0).collect::<Vec<_>>(),
        &void.iter().map(|(.., reason)| reason.clone()).collect::<Vec<_>>(),
    )
    .execute(core.sql())
    .await?;
    Ok(Written(()))
}

impl Row {
    fn told(&self) -> ReminderContent {
        let zone = TimeZoneName::stored(&self.zone);
        ReminderContent {
            organization: self.organization.clone(),
            org_slug: self.slug.clone(),
            project: self.project.clone(),
            task_id: self.task_id.0,
            task_key: format!("{}-{}", self.key, self.number),
            title: self.title.clone(),
            due: self.due().map(|due| due.in_words(&zone)),
            time_zone: zone.to_string(),
            due_at: self.due_at.to_jiff(),
            delivery: self.delivery.0,
            occurrence: Some(self.occurrence),
        }
    }

    fn due(&self) -> Option<Due> {
        let (on, local, zone, at) = (self.due_on, self.due_local, self.due_zone.clone(), self.task_due_at);
        DueColumns { on, local, zone, at }.due()
    }
}
