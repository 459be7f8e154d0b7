//! What a mail says: read under the tenant's row security at each try, frozen at the first that reaches `sending`.
//! Holds facts only; words are the worker's. Never a token: only the row it is derived from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Claim, CommentContent, MailKind, Notice, comment::comment};
use crate::{
    access::{Permission, ReadTasks, Scope, System},
    error::{Error, Result},
    ids::VerificationId,
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
    /// A way in for somebody who has lost their password.
    PasswordReset {
        /// Its token is derived from this row.
        id: uuid::Uuid,
        /// Until when.
        expires_at: Timestamp,
    },
    /// Asks one of the two mailboxes of a change of address.
    EmailChange {
        /// Its token is derived from this row.
        id: uuid::Uuid,
        /// Whether this is the address that the account has now.
        old: bool,
        /// The address that it shall have.
        new_email: String,
        /// Until when.
        expires_at: Timestamp,
    },
    /// Tells of something that has happened.
    Notice(Notice),
    /// What somebody has said about a task.
    Comment(CommentContent),
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
        MailKind::PasswordReset => password_reset(scope, claim).await,
        MailKind::EmailChangeOld => email_change(scope, claim, true).await,
        MailKind::EmailChangeNew => email_change(scope, claim, false).await,
        MailKind::Notice => notice(scope, claim).await,
        MailKind::Comment => comment(scope, claim).await,
        MailKind::Digest => Ok(Err("there are no digests")),
    }
}

async fn reminder(scope: &mut Scope<System>, claim: &Claim) -> Result<Result<Content, &'static str>> {
    let row = sqlx::query!(
        r#"select a.email, a.name, o.name as organization, o.slug, p.name as project, p.key, t.id as task_id, t.number, t.title,
                  t.due_on, t.due_local, t.due_zone, t.due_at as task_due_at, coalesce(a.time_zone, o.time_zone) as "zone!",
                  d.due_at, t.completed_at is null as "open!", o.deletion_due_at is null as "lives!",
                  t.deleted_at is null as "there!", p.archived_at is null as "in_use!", r.removed_at is null as "asked!",
                  exists (select from task_watches w where w.task_id = t.id and w.account_id = a.id and w.state = 'muted') as "muted!",
                  r.recipient = 'account' or exists (select from task_assignees s where s.task_id = t.id and s.account_id = a.id)
                      as "told!",
                  permissions_of(a.id, p.id, p.visibility) & $2 <> 0 as "sees!", clock_timestamp() as "date!"
           from deliveries d
                join reminders r on r.org_id = d.org_id and r.id = d.reminder_id
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
    // Each of these cancels what is owed in its own transaction (tasks, projects, watches); here it is asked again, at the last
    // moment, so that a delivery which slipped through is not sent.
    let reasons = [
        (row.open, "task completed"),
        (row.there, "task deleted"),
        (row.in_use, "project archived"),
        (row.asked, "reminder removed"),
        (row.told, "unassigned"),
        (!row.muted, "muted"),
        (row.lives, "the organization is being deleted"),
        (row.sees, "the recipient cannot see the project any more"),
    ];
    if let Some((_, reason)) = reasons.into_iter().find(|(holds, _)| !holds) {
        return Ok(Err(reason));
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
        r#"select i.token_id, i.email, coalesce(r.name, i.role) as "role!", i.expires_at, o.name as organization, a.name as inviter,
                  i.accepted_at is null and i.revoked_at is null and i.declined_at is null and i.expires_at > now()
                  and o.deletion_due_at is null as "open!", clock_timestamp() as "date!"
           from deliveries d
                join invitations i on i.org_id = d.org_id and i.id = d.invitation_id
                join organizations o on o.id = d.org_id
                join accounts a on a.id = i.invited_by
                left join roles r on r.org_id = i.org_id and r.key = i.custom_role
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
            id: row.token_id,
            organization: row.organization,
            inviter: row.inviter,
            role: row.role,
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

async fn password_reset(scope: &mut Scope<System>, claim: &Claim) -> Result<Result<Content, &'static str>> {
    let row = sqlx::query!(
        r#"select r.id, r.expires_at, a.email, a.name, r.used_at is null and r.expires_at > now() as "open!", clock_timestamp() as "date!"
           from deliveries d join password_resets r on r.id = d.reset_id join accounts a on a.id = r.account_id
           where d.mail_id = $1 and d.cancelled_at is null"#,
        claim.id.0,
    )
    .fetch_optional(scope.sql())
    .await?;
    let Some(row) = row.filter(|row| row.open) else {
        return Ok(Err("the reset is void, or its delivery cancelled"));
    };
    Ok(Ok(Content {
        to: row.email,
        name: Some(row.name),
        date: row.date.to_jiff(),
        about: Subject::PasswordReset { id: row.id, expires_at: row.expires_at.to_jiff() },
    }))
}

async fn email_change(scope: &mut Scope<System>, claim: &Claim, old: bool) -> Result<Result<Content, &'static str>> {
    let row = sqlx::query!(
        r#"select c.id, c.new_email, c.expires_at, a.email, a.name, clock_timestamp() as "date!", c.expires_at > now()
                  and case when $2 then c.old_confirmed_at is null else c.new_confirmed_at is null end as "open!"
           from deliveries d join email_changes c on c.id = d.email_change_id join accounts a on a.id = c.account_id
           where d.mail_id = $1 and d.cancelled_at is null"#,
        claim.id.0,
        old,
    )
    .fetch_optional(scope.sql())
    .await?;
    let Some(row) = row.filter(|row| row.open) else {
        return Ok(Err("the change of address is void, or its delivery cancelled"));
    };
    let about = Subject::EmailChange {
        id: row.id,
        old,
        new_email: row.new_email.clone(),
        expires_at: row.expires_at.to_jiff(),
    };
    // No name to an address that nobody has proved to own, as in a verification.
    let (to, name) = if old { (row.email, Some(row.name)) } else { (row.new_email, None) };
    Ok(Ok(Content { to, name, date: row.date.to_jiff(), about }))
}

async fn notice(scope: &mut Scope<System>, claim: &Claim) -> Result<Result<Content, &'static str>> {
    let row = sqlx::query!(
        r#"select a.email, a.name, d.notice as "notice!", clock_timestamp() as "date!", a.deleted_at is null as "lives!"
           from deliveries d join accounts a on a.id = d.account_id where d.mail_id = $1 and d.cancelled_at is null"#,
        claim.id.0,
    )
    .fetch_optional(scope.sql())
    .await?;
    let Some(row) = row.filter(|row| row.lives) else {
        return Ok(Err("the account is gone, or its delivery cancelled"));
    };
    let notice = serde_json::from_value(row.notice).map_err(|fault| Error::Internal(Box::new(fault)))?;
    Ok(Ok(Content { to: row.email, name: Some(row.name), date: row.date.to_jiff(), about: Subject::Notice(notice) }))
}
