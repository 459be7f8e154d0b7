//! What a digest says: somebody's day in an organization, as it is when the mail goes out.

use jiff::{Span, Timestamp, civil::Date};
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Claim, Content, Subject,
    content::{Said, Unsaid},
};
use crate::{
    access::{Core, Permission, ReadTasks, Scope, System},
    error::{Error, Result},
    ids::{AccountId, DeliveryId},
    time::{DueColumns, TimeZoneName},
};

/// Tasks of one digest, and reminders.
const MOST: i64 = 50;

/// Somebody's day, as they understand it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestContent {
    /// The token of its link is derived from this row.
    pub delivery: Uuid,
    /// The organization's name.
    pub organization: String,
    /// The organization's name in URLs.
    pub org_slug: String,
    /// The day, in the reader's zone.
    pub day: Date,
    /// The reader's zone.
    pub time_zone: String,
    /// When the digest should have gone out.
    pub due_at: Timestamp,
    /// What should be done by now.
    pub overdue: Vec<DigestTask>,
    /// What is due on this day.
    pub today: Vec<DigestTask>,
    /// What is due on the seven days after it.
    pub week: Vec<DigestTask>,
    /// How many tasks there are beside those.
    pub more: i64,
    /// Reminders that came to nothing since the last digest.
    pub expired: Vec<ExpiredReminder>,
    /// How many there are beside those.
    pub more_expired: i64,
}

/// A task of a digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestTask {
    /// The project's name.
    pub project: String,
    /// `OPS-42`.
    pub task_key: String,
    /// The task.
    pub title: String,
    /// When it is due, in words of the reader's zone.
    pub due: String,
}

/// A reminder that was too late to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiredReminder {
    /// Which it was.
    pub delivery: Uuid,
    /// `OPS-42`.
    pub task_key: String,
    /// The task.
    pub title: String,
    /// When it should have gone out.
    pub due_at: Timestamp,
}

pub(super) async fn digest(scope: &mut Scope<System>, claim: &Claim) -> Result<Said> {
    let row = sqlx::query!(
        r#"select d.id as "delivery: DeliveryId", d.due_at, a.id as "account: AccountId", a.email, a.name, o.name as organization, o.slug,
                  coalesce(a.time_zone, o.time_zone) as "zone!", clock_timestamp() as "date!", v.reason as why_not, v.waits as "replanned!"
           from deliveries d join organizations o on o.id = d.org_id join accounts a on a.id = d.account_id
                join why_not_owed(array(select e.id from deliveries e where e.mail_id = $1 and e.cancelled_at is null)) v on v.delivery_id = d.id
           where d.mail_id = $1 and d.cancelled_at is null"#,
        claim.id.0,
    )
    .fetch_optional(scope.sql())
    .await?;
    let Some(row) = row else { return Ok(Err("the delivery is cancelled, or its recipient is gone".into())) };
    if row.replanned {
        return Ok(Err(Unsaid::NotNow("the recipient's reminders are being planned anew")));
    }
    if let Some(reason) = row.why_not {
        return Ok(Err(Unsaid::Void(reason.into())));
    }
    let zone = TimeZoneName::stored(&row.zone);
    let date = row.date.to_jiff();
    let mut about = DigestContent {
        delivery: row.delivery.0,
        organization: row.organization,
        org_slug: row.slug,
        day: date.to_zoned(zone.rules().clone()).date(),
        time_zone: zone.to_string(),
        due_at: row.due_at.to_jiff(),
        overdue: Vec::new(),
        today: Vec::new(),
        week: Vec::new(),
        more: 0,
        expired: Vec::new(),
        more_expired: 0,
    };
    tasks(scope.core(), row.account, &zone, date, &mut about).await?;
    expired(scope.core(), row.account, &mut about).await?;
    let lists = [about.overdue.is_empty(), about.today.is_empty(), about.week.is_empty(), about.expired.is_empty()];
    if lists.iter().all(|empty| *empty) {
        return Ok(Err("nothing to tell".into()));
    }
    Ok(Ok(Content {
        to: row.email,
        name: Some(row.name),
        date,
        deliveries: vec![row.delivery],
        about: Subject::Digest(about),
    }))
}

/// What is theirs to do until a week from now, the most urgent first.
async fn tasks(
    core: &mut Core,
    account: AccountId,
    zone: &TimeZoneName,
    now: Timestamp,
    about: &mut DigestContent,
) -> Result<()> {
    // Ours, not the database's: it may know other zones.
    let later = |days: i64| about.day.checked_add(Span::new().days(days));
    let begins = |date: Date| date.to_zoned(zone.rules().clone()).map(|begin| begin.timestamp());
    let beyond = |fault: jiff::Error| Error::Internal(Box::new(fault));
    let tomorrow = later(1).and_then(begins).map_err(beyond)?;
    let (last, end) = (later(7).map_err(beyond)?, later(8).and_then(begins).map_err(beyond)?);
    let rows = sqlx::query!(
        r#"select p.name as project, p.key, t.number, t.title, t.due_on, t.due_local, t.due_zone,
                  t.due_at, count(*) over () as "all!",
                  case when t.due_on < $2 or t.due_at < $3 then 0 when t.due_on = $2 or t.due_at < $4 then 1 else 2 end as "place!"
           from tasks t join projects p on p.org_id = t.org_id and p.id = t.project_id
           where t.org_id = current_org() and (t.due_on <= $5 or t.due_at < $6)
             and t.completed_at is null and t.deleted_at is null and p.archived_at is null
             and (exists (select from task_assignees s where s.org_id = t.org_id and s.task_id = t.id and s.account_id = $1)
                  or t.created_by = $1 and not exists (select from task_assignees s where s.org_id = t.org_id and s.task_id = t.id))
             and not exists (select from task_watches w where w.org_id = t.org_id and w.task_id = t.id and w.account_id = $1
                             and w.state = 'muted')
             and not exists (select from project_mutes q where q.org_id = p.org_id and q.project_id = p.id and q.account_id = $1)
             and permissions_of($1, p.id, p.visibility) & $7 <> 0
           order by "place!", t.due_key, t.id limit $8"#,
        account.0,
        about.day.to_sqlx() as _,
        now.to_sqlx() as _,
        tomorrow.to_sqlx() as _,
        last.to_sqlx() as _,
        end.to_sqlx() as _,
        ReadTasks::BITS,
        MOST,
    )
    .fetch_all(core.sql())
    .await?;
    about.more = rows.first().map_or(0, |row| (row.all - MOST).max(0));
    for row in rows {
        let due = DueColumns { on: row.due_on, local: row.due_local, zone: row.due_zone, at: row.due_at }.due();
        let part = match row.place {
            0 => &mut about.overdue,
            1 => &mut about.today,
            _ => &mut about.week,
        };
        part.push(DigestTask {
            project: row.project,
            task_key: format!("{}-{}", row.key, row.number),
            title: row.title,
            due: due.map(|due| due.in_words(zone)).unwrap_or_default(),
        });
    }
    Ok(())
}

/// Which of their reminders came to nothing since the last digest that they got, or in thirty days.
async fn expired(core: &mut Core, account: AccountId, about: &mut DigestContent) -> Result<()> {
    // A minute more, less what it told of: one may have expired while that digest was being read.
    let rows = sqlx::query!(
        r#"with told as (
               select (m.content ->> 'date')::timestamptz as at, m.content -> 'about' -> 'expired' as those
               from deliveries d join mails m on m.id = d.mail_id
               where d.org_id = current_org() and d.account_id = $1 and d.kind = 'digest' and m.state = 'sent'
               order by m.frozen_at desc limit 1
           )
           select d.id, d.due_at, p.key, t.number, t.title, count(*) over () as "all!"
           from deliveries d
                join mails m on m.id = d.mail_id and m.state = 'expired'
                join tasks t on t.org_id = d.org_id and t.id = d.task_id and t.deleted_at is null
                join projects p on p.org_id = t.org_id and p.id = t.project_id
                left join told on true
           where d.org_id = current_org() and d.account_id = $1 and d.kind = 'reminder' and d.cancelled_at is null
             and exists (select from mail_steps s where s.mail_id = m.id and s.to_state = 'expired'
                         and s.at > greatest(told.at - interval '1 minute', now() - interval '30 days'))
             and not coalesce(told.those @> jsonb_build_array(jsonb_build_object('delivery', d.id)), false)
             and permissions_of($1, p.id, p.visibility) & $2 <> 0
           order by d.due_at, d.id limit $3"#,
        account.0,
        ReadTasks::BITS,
        MOST,
    )
    .fetch_all(core.sql())
    .await?;
    about.more_expired = rows.first().map_or(0, |row| (row.all - MOST).max(0));
    about.expired = rows
        .into_iter()
        .map(|row| ExpiredReminder {
            delivery: row.id,
            task_key: format!("{}-{}", row.key, row.number),
            title: row.title,
            due_at: row.due_at.to_jiff(),
        })
        .collect();
    Ok(())
}
