//! What a mail says: read under the tenant's row security at each try, frozen at the first that reaches `sending`.
//! Holds facts only; words are the worker's. Never a token: only the row it is derived from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Claim, MailKind};
use crate::{
    access::{Permission, ReadTasks, Role, Scope, System},
    error::Result,
    ids::{InvitationId, VerificationId},
    time::DueColumns,
};

/// One recipient, one moment, one subject matter. The same content gives the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The recipient's address.
    pub to: String,
    /// The recipient's name, where it is known.
    pub name: Option<String>,
    /// The mail's Date.
    pub date: Timestamp,
    /// What it is about.
    pub about: Subject,
}

/// What a mail is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Subject {
    /// A task's reminder.
    Reminder(ReminderContent),
    /// An offer of membership.
    Invitation {
        /// Its token is derived from this row.
        id: uuid::Uuid,
        /// The organization's name.
        organization: String,
        /// Who offers.
        inviter: String,
        /// The role on offer.
        role: String,
        /// Until when.
        expires_at: Timestamp,
    },
    /// Proves the e-mail of a sign-up.
    Verification {
        /// Its token is derived from this row.
        id: uuid::Uuid,
        /// Until when.
        expires_at: Timestamp,
    },
    /// Somebody signed up with an address that has an account.
    AlreadyRegistered,
}

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
    pub task_id: uuid::Uuid,
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
}

/// What the mail of a claim says now; or the reason why nobody is owed it any more.
///
/// # Errors
/// The database's.
pub async fn content(scope: &mut Scope<System>, claim: &Claim) -> Result<Result<Content, &'static str>> {
    match claim.kind {
        MailKind::Reminder => reminder(scope, claim).await,
        MailKind::Invitation => invitation(scope, claim).await,
        MailKind::Verification => verification(scope, claim).await,
        MailKind::AlreadyRegistered => already_registered(scope, claim).await,
    }
}

async fn reminder(scope: &mut Scope<System>, claim: &Claim) -> Result<Result<Content, &'static str>> {
    let row = sqlx::query!(
        r#"select a.email, a.name, o.name as organization, o.slug, p.name as project, p.key, t.id as task_id, t.number, t.title,
                  t.due_on, t.due_local, t.due_zone, t.due_at as task_due_at, coalesce(a.time_zone, o.time_zone) as "zone!",
                  d.due_at, t.completed_at is null as "open!",
                  permissions_of(a.id, p.id, p.visibility) & $2 <> 0 as "sees!", clock_timestamp() as "date!"
           from deliveries d
                join tasks t on t.org_id = d.org_id and t.id = d.task_id
                join projects p on p.org_id = t.org_id and p.id = t.project_id
                join organizations o on o.id = d.org_id
                join accounts a on a.id = d.account_id
           where d.mail_id = $1 and d.cancelled_at is null"#,
        claim.id.0,
        ReadTasks::BITS,
    )
    .fetch_optional(scope.sql())
    .await?;
    let Some(row) = row else { return Ok(Err("the delivery is cancelled, or its recipient or task is gone")) };
    if !row.open {
        return Ok(Err("task completed"));
    }
    if !row.sees {
        return Ok(Err("the recipient cannot see the project any more"));
    }
    let zone = crate::time::TimeZoneName::stored(&row.zone);
    let due = DueColumns { on: row.due_on, local: row.due_local, zone: row.due_zone, at: row.task_due_at }.due();
    Ok(Ok(Content {
        to: row.email,
        name: Some(row.name),
        date: row.date.to_jiff(),
        about: Subject::Reminder(ReminderContent {
            organization: row.organization,
            org_slug: row.slug,
            project: row.project,
            task_id: row.task_id,
            task_key: format!("{}-{}", row.key, row.number),
            title: row.title,
            due: due.map(|due| due.in_words(&zone)),
            time_zone: zone.to_string(),
            due_at: row.due_at.to_jiff(),
        }),
    }))
}

async fn invitation(scope: &mut Scope<System>, claim: &Claim) -> Result<Result<Content, &'static str>> {
    let row = sqlx::query!(
        r#"select i.id as "id: InvitationId", i.email, i.role as "role: Role", i.expires_at, o.name as organization, a.name as inviter,
                  i.accepted_at is null and i.revoked_at is null and i.expires_at > now() as "open!", clock_timestamp() as "date!"
           from deliveries d
                join invitations i on i.org_id = d.org_id and i.id = d.invitation_id
                join organizations o on o.id = d.org_id
                join accounts a on a.id = i.invited_by
           where d.mail_id = $1 and d.cancelled_at is null"#,
        claim.id.0,
    )
    .fetch_optional(scope.sql())
    .await?;
    let Some(row) = row.filter(|row| row.open) else {
        return Ok(Err("the invitation is void, or its delivery cancelled"));
    };
    Ok(Ok(Content {
        to: row.email,
        name: None,
        date: row.date.to_jiff(),
        about: Subject::Invitation {
            id: row.id.0,
            organization: row.organization,
            inviter: row.inviter,
            role: row.role.as_str().to_owned(),
            expires_at: row.expires_at.to_jiff(),
        },
    }))
}

async fn verification(scope: &mut Scope<System>, claim: &Claim) -> Result<Result<Content, &'static str>> {
    let row = sqlx::query!(
        r#"select v.id as "id: VerificationId", v.expires_at, a.email,
                  v.used_at is null and v.expires_at > now() as "open!", clock_timestamp() as "date!"
           from deliveries d join verifications v on v.id = d.verification_id join accounts a on a.id = v.account_id
           where d.mail_id = $1 and d.cancelled_at is null"#,
        claim.id.0,
    )
    .fetch_optional(scope.sql())
    .await?;
    let Some(row) = row.filter(|row| row.open) else {
        return Ok(Err("the verification is void, or its delivery cancelled"));
    };
    // No name: it is the text of somebody who has proved nothing, and would be a way to write to strangers through us.
    Ok(Ok(Content {
        to: row.email,
        name: None,
        date: row.date.to_jiff(),
        about: Subject::Verification { id: row.id.0, expires_at: row.expires_at.to_jiff() },
    }))
}

async fn already_registered(scope: &mut Scope<System>, claim: &Claim) -> Result<Result<Content, &'static str>> {
    let row = sqlx::query!(
        r#"select a.email, a.name, clock_timestamp() as "date!"
           from deliveries d join accounts a on a.id = d.account_id where d.mail_id = $1 and d.cancelled_at is null"#,
        claim.id.0,
    )
    .fetch_optional(scope.sql())
    .await?;
    let Some(row) = row else { return Ok(Err("the account is gone, or its delivery cancelled")) };
    Ok(Ok(Content { to: row.email, name: Some(row.name), date: row.date.to_jiff(), about: Subject::AlreadyRegistered }))
}
