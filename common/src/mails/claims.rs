//! One try: claim, mark sending, finish. Three commits, each named by the fence of its claim.

use std::time::Duration;

use jiff_sqlx::Timestamp;
use tracing::warn;
use utoipa::ToSchema;

use super::{Content, MailKind};
use crate::{
    db::Db,
    error::{Error, Result},
    ids::{AccountId, MailId, OrgId},
};

/// A mail in the hands of this worker, until its lease ends.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The mail.
    pub id: MailId,
    /// Rises with every claim; each later step must name it.
    pub fence: i32,
    /// Its tenant, if it has one.
    pub org: Option<OrgId>,
    /// Its account, if it has one.
    pub account: Option<AccountId>,
    /// What it is for.
    pub kind: MailKind,
    /// When it should have gone out.
    pub due_at: Timestamp,
    /// When it was claimed, by the database's clock.
    pub claimed_at: Timestamp,
    /// How often it has been tried, this time included.
    pub attempts: i32,
    /// What it says, if an earlier try came as far as `sending`.
    pub frozen: Option<Content>,
}

/// How far a try came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Phase {
    /// Before the mail server was asked.
    Prepare,
    /// Connecting, greeting, TLS, authentication.
    Connect,
    /// MAIL, RCPT, DATA.
    Envelope,
    /// The body, and the reply to it.
    Body,
    /// The reply was 2xx.
    Done,
}

impl Phase {
    fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Connect => "connect",
            Self::Envelope => "envelope",
            Self::Body => "body",
            Self::Done => "done",
        }
    }
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The mail server took it.
    Sent,
    /// Certainly not taken; again after a while.
    Retry(Duration),
    /// Nobody knows: the connection was lost after the first byte of the body.
    Uncertain,
    /// Certainly not taken, and never will be.
    Dead,
    /// Nobody is owed it any more.
    Cancelled,
}

impl Outcome {
    fn state(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Retry(_) => "retry",
            Self::Uncertain => "uncertain",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What is kept of a try.
#[derive(Clone, Debug)]
pub struct Attempt<'a> {
    /// Which worker.
    pub worker: &'a str,
    /// How far it came.
    pub phase: Phase,
    /// The mail server's last reply, or what went wrong, in one line.
    pub reply: Option<String>,
}

/// Commit 1: `scheduled|retry -> claimed`. None for a hint that is early, late or a duplicate.
///
/// # Errors
/// The database's.
pub async fn claim(db: &Db, id: MailId, worker: &str) -> Result<Option<Claim>> {
    let row = sqlx::query!(
        r#"update mails set state = 'claimed', fence = fence + 1, attempts = attempts + 1, worker = $2, reason = null,
                            lease_until = clock_timestamp() + interval '30 seconds'
           where id = $1 and state in ('scheduled', 'retry') and next_at <= clock_timestamp() and expires_at > clock_timestamp()
             and may_go(kind, held_at, $3)
           returning fence, org_id as "org: OrgId", account_id as "account: AccountId", kind as "kind: MailKind", due_at,
                     clock_timestamp() as "claimed_at!", attempts, content"#,
        id.0,
        worker,
        db.paused,
    )
    .fetch_optional(&db.pool)
    .await?;
    Ok(row.map(|row| {
        // Content of another version of this program may not be readable any more: then the mail is worded anew, under the
        // same Message-ID. It goes out in any case.
        let frozen = row.content.and_then(|content| {
            let read = serde_json::from_value(content);
            read.inspect_err(|fault| warn!(mail = %id, %fault, "frozen content cannot be read")).ok()
        });
        Claim {
            id,
            fence: row.fence,
            org: row.org,
            account: row.account,
            kind: row.kind,
            due_at: row.due_at,
            claimed_at: row.claimed_at,
            attempts: row.attempts,
            frozen,
        }
    }))
}

/// Commit 2, after the server's 354 and before the first byte of the body: `claimed -> sending`. The last moment to cancel;
/// freezes what the mail says. False: the claim was lost, or nobody is owed the mail any more.
///
/// # Errors
/// The database's.
pub async fn mark_sending(db: &Db, claim: &Claim, content: &Content) -> Result<bool> {
    let content = serde_json::to_value(content).map_err(|fault| Error::Internal(Box::new(fault)))?;
    let done = sqlx::query!(
        "update mails m set state = 'sending', lease_until = clock_timestamp() + interval '30 seconds',
                            content = coalesce(m.content, $3), frozen_at = coalesce(m.frozen_at, clock_timestamp())
         where m.id = $1 and m.fence = $2 and m.state = 'claimed' and m.lease_until > clock_timestamp()
           and exists (select from deliveries d where d.mail_id = m.id and d.cancelled_at is null)",
        claim.id.0,
        claim.fence,
        content,
    )
    .execute(&db.pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Commit 3, or the end of a try that failed. False when the claim was lost: then somebody else decides, and nothing changed.
/// A retry beyond the mail's life makes it `expired`.
///
/// # Errors
/// The database's.
pub async fn finish(db: &Db, claim: &Claim, outcome: &Outcome, attempt: &Attempt<'_>) -> Result<bool> {
    let delay = match outcome {
        Outcome::Retry(delay) => delay.as_secs_f64(),
        Outcome::Sent | Outcome::Uncertain | Outcome::Dead | Outcome::Cancelled => 0.0,
    };
    let done = sqlx::query!(
        "with ended as (
             update mails set lease_until = null, lost_claims = 0, queued_at = null, reason = $4,
                    state = case when $3 = 'retry' and clock_timestamp() + $5 * interval '1 second' >= expires_at then 'expired' else $3 end,
                    next_at = case when $3 = 'retry' then clock_timestamp() + $5 * interval '1 second' else next_at end,
                    sent_at = case when $3 = 'sent' then clock_timestamp() end
             where id = $1 and fence = $2 and state in ('claimed', 'sending')
             returning id, org_id, account_id, state, fence
         )
         insert into attempts (mail_id, fence, org_id, account_id, worker, started_at, phase, reply, outcome)
         select id, fence, org_id, account_id, $6, $7, $8, $4, state from ended",
        claim.id.0,
        claim.fence,
        outcome.state(),
        attempt.reply,
        delay,
        attempt.worker,
        claim.claimed_at as _,
        attempt.phase.as_str(),
    )
    .execute(&db.pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The heartbeat of a try that takes its time. False when the claim was lost.
///
/// # Errors
/// The database's.
pub async fn renew(db: &Db, claim: &Claim) -> Result<bool> {
    let done = sqlx::query!(
        "update mails set lease_until = clock_timestamp() + interval '30 seconds'
         where id = $1 and fence = $2 and state in ('claimed', 'sending')",
        claim.id.0,
        claim.fence,
    )
    .execute(&db.pool)
    .await?;
    Ok(done.rows_affected() == 1)
}
