//! Commit 1: whose a mail is. And what a try is made of.

use std::time::Duration;

use jiff_sqlx::Timestamp;
use tracing::warn;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Content, MailKind, fold};
use crate::{
    db::Db,
    error::Result,
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
    /// Mails that were claimed with it: what they owe goes out with this one.
    pub folded: Vec<Held>,
}

/// One of several mails in one claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The mail.
    pub id: MailId,
    /// Of its claim.
    pub fence: i32,
}

impl Claim {
    /// Every mail of it, itself first.
    pub(super) fn held(&self) -> impl Iterator<Item = Held> {
        std::iter::once(Held { id: self.id, fence: self.fence }).chain(self.folded.iter().copied())
    }
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
    pub(super) fn as_str(self) -> &'static str {
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
    /// Not even tried, since what it says is just being decided; again after a while, and it does not count as a try.
    Later(Duration),
    /// Nobody knows: the connection was lost after the first byte of the body.
    Uncertain,
    /// Certainly not taken, and never will be.
    Dead,
    /// Nobody is owed it any more.
    Cancelled,
}

impl Outcome {
    /// The state that it leads to.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Retry(_) | Self::Later(_) => "retry",
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

/// One mail: see [`claim_all`].
///
/// # Errors
/// The database's.
pub async fn claim(db: &Db, id: MailId, worker: &str) -> Result<Option<Claim>> {
    Ok(claim_all(db, &[id], worker).await?.pop().flatten())
}

/// `scheduled|retry -> claimed`, for each that is due and that nobody else has in hand at this moment, and for what is folded into
/// one of them ([`fold`]). None for a hint that is early, late or a duplicate, and for what goes out with another one of them.
///
/// # Errors
/// The database's.
pub async fn claim_all(db: &Db, ids: &[MailId], worker: &str) -> Result<Vec<Option<Claim>>> {
    let asked: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"with mine as (
               select m.id from mails m
               where m.id = any($1) and m.state in ('scheduled', 'retry') and m.next_at <= clock_timestamp()
                 and m.expires_at > clock_timestamp() and may_go(m.kind, m.held_at, $3)
               order by m.id for update skip locked
           ), claimed as (
               update mails m set state = 'claimed', fence = m.fence + 1, attempts = m.attempts + 1, worker = $2, reason = null,
                      lease_until = clock_timestamp() + interval '8 seconds'
               from mine where m.id = mine.id
               returning m.id, m.fence, m.org_id, m.account_id, m.kind, m.due_at, m.attempts, m.content, m.lost_claims,
                         m.alone
           ), crowds as (
               -- Each hundred of them is a mail, and the last one has room for others.
               select c.org_id, c.account_id, array_agg(c.id order by c.due_at, c.id) as ids,
                      ((count(*) - 1) / $5 * $5)::int + 1 as last_lead, $5 - 1 - (count(*) - 1) % $5 as room
               from claimed c where c.kind = 'reminder' and c.content is null and c.lost_claims = 0 and not c.alone
               group by c.org_id, c.account_id
               having count(*)
                   + (select count(*) from (
                          select from mails w
                          where w.org_id = c.org_id and w.account_id = c.account_id and w.kind = 'reminder'
                            and w.state in ('scheduled', 'retry') and w.next_at <= clock_timestamp() and w.content is null
                            and w.lost_claims = 0 and not w.alone and may_go(w.kind, w.held_at, $3) and w.id <> all($1) limit $4) waiting)
                   + (select count(*) from (
                          select from mails s
                          where s.org_id = c.org_id and s.account_id = c.account_id and s.kind = 'reminder' and s.state = 'sent' and not s.alone
                            and s.sent_at > clock_timestamp() - interval '5 minutes' limit $4) lately) > $4
           ), others as (
               select o.id, k.ids[k.last_lead] as lead from crowds k cross join lateral (
                   select w.id from mails w
                   where w.org_id = k.org_id and w.account_id = k.account_id and w.kind = 'reminder'
                     and w.state in ('scheduled', 'retry') and w.next_at <= clock_timestamp() and w.expires_at > clock_timestamp()
                     and may_go(w.kind, w.held_at, $3) and w.content is null and w.lost_claims = 0 and not w.alone and w.id <> all($1)
                   order by w.next_at, w.id limit k.room for update skip locked) o
           ), taken as (
               update mails m set state = 'claimed', fence = m.fence + 1, attempts = m.attempts + 1, worker = $2, reason = null,
                      lease_until = clock_timestamp() + interval '8 seconds'
               from others o where m.id = o.id
               returning m.id, m.fence, m.org_id, m.account_id, m.kind, m.due_at, m.attempts, m.content, o.lead
           )
           select c.id as "id!: MailId", c.fence as "fence!", c.org_id as "org: OrgId", c.account_id as "account: AccountId",
                  c.kind as "kind!: MailKind", c.due_at as "due_at!: Timestamp", c.attempts as "attempts!", c.content,
                  coalesce(k.ids[((array_position(k.ids, c.id) - 1) / $5 * $5)::int + 1], c.id) as "lead!: MailId", clock_timestamp() as "claimed_at!: Timestamp"
           from claimed c
                left join crowds k on k.org_id = c.org_id and k.account_id = c.account_id and c.kind = 'reminder'
                                      and c.content is null and c.lost_claims = 0 and not c.alone
           union all
           select t.id, t.fence, t.org_id, t.account_id, t.kind, t.due_at, t.attempts, t.content, t.lead, clock_timestamp()
           from taken t"#,
        &asked,
        worker,
        db.paused,
        fold::FEW,
        fold::MOST,
    )
    .fetch_all(&db.pool)
    .await?;
    let claimed = rows.into_iter().map(|row| {
        // Content of another version of this program may not be readable any more: then the mail is worded anew, under the
        // same Message-ID. It goes out in any case.
        let frozen = row.content.and_then(|content| {
            let read = serde_json::from_value(content);
            read.inspect_err(|fault| warn!(mail = %row.id, %fault, "frozen content cannot be read")).ok()
        });
        let claim = Claim {
            id: row.id,
            fence: row.fence,
            org: row.org,
            account: row.account,
            kind: row.kind,
            due_at: row.due_at,
            claimed_at: row.claimed_at,
            attempts: row.attempts,
            frozen,
            folded: Vec::new(),
        };
        (row.lead, claim)
    });
    let mut claims = fold::gather(claimed);
    Ok(ids.iter().map(|id| claims.remove(id)).collect())
}
