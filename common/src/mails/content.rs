//! What a mail says: read under the tenant's row security at each try, frozen at the first that reaches `sending`.
//! Holds facts only; words are the worker's. Never a token: only the row it is derived from.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Claim, CommentContent, DigestContent, MailKind, Notice, ReminderContent, comment::comment, digest::digest,
    reminder::reminders,
};
use crate::{
    access::{Scope, System},
    error::{Error, Result},
    ids::{DeliveryId, VerificationId},
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
    /// What it tells of: all that its recipient is owed by this mail. It is sent only while that is still so.
    #[serde(default)]
    pub deliveries: Vec<DeliveryId>,
    /// What it is about.
    pub about: Subject,
}

/// What a mail is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Subject {
    /// A task's reminder.
    Reminder(ReminderContent),
    /// Many of one person in one organization, which were due at about the same time.
    Reminders {
        /// Each, the earliest first.
        reminders: Vec<ReminderContent>,
    },
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
    /// Somebody's day in an organization.
    Digest(DigestContent),
}

/// Why a mail says nothing now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// Nobody is owed it any more.
    Void(Cow<'static, str>),
    /// What is owed is just being decided anew: a little later it is known.
    NotNow(&'static str),
}

/// What a mail says now, or why nothing.
pub type Said = Result<Content, Unsaid>;

impl From<&'static str> for Unsaid {
    fn from(reason: &'static str) -> Self {
        Self::Void(reason.into())
    }
}

impl Content {
    /// What was frozen, as far as it still holds: `fresh` is what the mail would say now. What nobody is owed any more is left out, and
    /// nothing else changes.
    #[must_use]
    pub fn as_far_as(mut self, fresh: &Self) -> Self {
        self.deliveries.clone_from(&fresh.deliveries);
        if let Subject::Reminders { reminders } = &mut self.about {
            reminders.retain(|reminder| fresh.deliveries.iter().any(|delivery| delivery.0 == reminder.delivery));
            if let [only] = reminders.as_slice() {
                self.about = Subject::Reminder(only.clone());
            }
        }
        self
    }
}

/// What the mail of a claim says now, or why it says nothing: see [`contents`].
///
/// # Errors
/// The database's.
pub async fn content(scope: Scope<System>, claim: &Claim) -> Result<Said> {
    let said = contents(scope, &[claim]).await?.pop();
    Ok(said.unwrap_or(Err("nothing was asked for".into())))
}

/// What the mails of claims of one organization, or of one account outside any, say now; or why one says nothing. Of many reminders in
/// one mail, those that nobody is owed any more are cancelled, each with its reason.
///
/// # Errors
/// The database's; then of none of them anything is known.
pub async fn contents(mut scope: Scope<System>, claims: &[&Claim]) -> Result<Vec<Said>> {
    let (mut told, cancelled) = reminders(&mut scope, claims).await?;
    let mut said = Vec::with_capacity(claims.len());
    for claim in claims {
        said.push(match claim.kind {
            MailKind::Reminder => told.remove(&claim.id).unwrap_or_else(|| Err(GONE.into())),
            MailKind::Invitation => invitation(&mut scope, claim).await?,
            MailKind::Verification => verification(&mut scope, claim).await?,
            MailKind::AlreadyRegistered => already_registered(&mut scope, claim).await?,
            MailKind::PasswordReset => password_reset(&mut scope, claim).await?,
            MailKind::EmailChangeOld => email_change(&mut scope, claim, true).await?,
            MailKind::EmailChangeNew => email_change(&mut scope, claim, false).await?,
            MailKind::Notice => notice(&mut scope, claim).await?,
            MailKind::Comment => comment(&mut scope, claim).await?,
            MailKind::Digest => digest(&mut scope, claim).await?,
        });
    }
    if let Some(cancelled) = cancelled {
        scope.commit(cancelled).await?;
    }
    Ok(said)
}

const GONE: &str = "the delivery is cancelled, or its recipient or task is gone";

async fn invitation(scope: &mut Scope<System>, claim: &Claim) -> Result<Said> {
    let row = sqlx::query!(
        r#"select d.id as "delivery: DeliveryId", i.token_id, i.email, coalesce(r.name, i.role) as "role!", i.expires_at, o.name as organization, a.name as inviter,
                  v.reason is null as "open!", clock_timestamp() as "date!"
           from deliveries d
                join invitations i on i.org_id = d.org_id and i.id = d.invitation_id
                join organizations o on o.id = d.org_id
                join accounts a on a.id = i.invited_by
                left join roles r on r.org_id = i.org_id and r.key = i.custom_role
                join why_not_owed(array(select e.id from deliveries e where e.mail_id = $1 and e.cancelled_at is null)) v on v.delivery_id = d.id
           where d.mail_id = $1 and d.cancelled_at is null"#,
        claim.id.0,
    )
    .fetch_optional(scope.sql())
    .await?;
    let Some(row) = row.filter(|row| row.open) else {
        return Ok(Err("the invitation is void, or its delivery cancelled".into()));
    };
    Ok(Ok(Content {
        to: row.email,
        name: None,
        date: row.date.to_jiff(),
        deliveries: vec![row.delivery],
        about: Subject::Invitation {
            id: row.token_id,
            organization: row.organization,
            inviter: row.inviter,
            role: row.role,
            expires_at: row.expires_at.to_jiff(),
        },
    }))
}

async fn verification(scope: &mut Scope<System>, claim: &Claim) -> Result<Said> {
    let row = sqlx::query!(
        r#"select d.id as "delivery: DeliveryId", v.id as "id: VerificationId", v.expires_at, a.email,
                  v.used_at is null and v.expires_at > now() as "open!", clock_timestamp() as "date!"
           from deliveries d join verifications v on v.id = d.verification_id join accounts a on a.id = v.account_id
           where d.mail_id = $1 and d.cancelled_at is null"#,
        claim.id.0,
    )
    .fetch_optional(scope.sql())
    .await?;
    let Some(row) = row.filter(|row| row.open) else {
        return Ok(Err("the verification is void, or its delivery cancelled".into()));
    };
    // No name: it is the text of somebody who has proved nothing, and would be a way to write to strangers through us.
    Ok(Ok(Content {
        to: row.email,
        name: None,
        date: row.date.to_jiff(),
        deliveries: vec![row.delivery],
        about: Subject::Verification { id: row.id.0, expires_at: row.expires_at.to_jiff() },
    }))
}

async fn already_registered(scope: &mut Scope<System>, claim: &Claim) -> Result<Said> {
    let row = sqlx::query!(
        r#"select d.id as "delivery: DeliveryId", a.email, a.name, clock_timestamp() as "date!"
           from deliveries d join accounts a on a.id = d.account_id where d.mail_id = $1 and d.cancelled_at is null"#,
        claim.id.0,
    )
    .fetch_optional(scope.sql())
    .await?;
    let Some(row) = row else { return Ok(Err("the account is gone, or its delivery cancelled".into())) };
    Ok(Ok(Content {
        to: row.email,
        name: Some(row.name),
        date: row.date.to_jiff(),
        deliveries: vec![row.delivery],
        about: Subject::AlreadyRegistered,
    }))
}

async fn password_reset(scope: &mut Scope<System>, claim: &Claim) -> Result<Said> {
    let row = sqlx::query!(
        r#"select d.id as "delivery: DeliveryId", r.id, r.expires_at, a.email, a.name, r.used_at is null and r.expires_at > now() as "open!", clock_timestamp() as "date!"
           from deliveries d join password_resets r on r.id = d.reset_id join accounts a on a.id = r.account_id
           where d.mail_id = $1 and d.cancelled_at is null"#,
        claim.id.0,
    )
    .fetch_optional(scope.sql())
    .await?;
    let Some(row) = row.filter(|row| row.open) else {
        return Ok(Err("the reset is void, or its delivery cancelled".into()));
    };
    Ok(Ok(Content {
        to: row.email,
        name: Some(row.name),
        date: row.date.to_jiff(),
        deliveries: vec![row.delivery],
        about: Subject::PasswordReset { id: row.id, expires_at: row.expires_at.to_jiff() },
    }))
}

async fn email_change(scope: &mut Scope<System>, claim: &Claim, old: bool) -> Result<Said> {
    let row = sqlx::query!(
        r#"select d.id as "delivery: DeliveryId", c.id, c.new_email, c.expires_at, a.email, a.name, clock_timestamp() as "date!", c.expires_at > now()
                  and case when $2 then c.old_confirmed_at is null else c.new_confirmed_at is null end as "open!"
           from deliveries d join email_changes c on c.id = d.email_change_id join accounts a on a.id = c.account_id
           where d.mail_id = $1 and d.cancelled_at is null"#,
        claim.id.0,
        old,
    )
    .fetch_optional(scope.sql())
    .await?;
    let Some(row) = row.filter(|row| row.open) else {
        return Ok(Err("the change of address is void, or its delivery cancelled".into()));
    };
    let about = Subject::EmailChange {
        id: row.id,
        old,
        new_email: row.new_email.clone(),
        expires_at: row.expires_at.to_jiff(),
    };
    // No name to an address that nobody has proved to own, as in a verification.
    let (to, name) = if old { (row.email, Some(row.name)) } else { (row.new_email, None) };
    Ok(Ok(Content { to, name, date: row.date.to_jiff(), deliveries: vec![row.delivery], about }))
}

async fn notice(scope: &mut Scope<System>, claim: &Claim) -> Result<Said> {
    let row = sqlx::query!(
        r#"select d.id as "delivery: DeliveryId", a.email, a.name, d.notice as "notice!", clock_timestamp() as "date!", a.deleted_at is null as "lives!"
           from deliveries d join accounts a on a.id = d.account_id where d.mail_id = $1 and d.cancelled_at is null"#,
        claim.id.0,
    )
    .fetch_optional(scope.sql())
    .await?;
    let Some(row) = row.filter(|row| row.lives) else {
        return Ok(Err("the account is gone, or its delivery cancelled".into()));
    };
    let notice = serde_json::from_value(row.notice).map_err(|fault| Error::Internal(Box::new(fault)))?;
    Ok(Ok(Content {
        to: row.email,
        name: Some(row.name),
        date: row.date.to_jiff(),
        deliveries: vec![row.delivery],
        about: Subject::Notice(notice),
    }))
}
