//! Commit 2 and commit 3, each named by the fence of its claim; and the heartbeat between them. What many mails need at the same moment
//! goes out as one statement; none of them goes on before it is committed.

use std::{collections::HashMap, time::Duration};

use serde_json::Value;
use tokio::time::sleep;

use super::{Attempt, Claim, Content, Outcome, claims::Held};
use crate::{
    db::Db,
    error::{Error, Result},
    ids::MailId,
};

/// How soon a mail is asked for again that somebody is changing.
const TURN: Duration = Duration::from_millis(20);

/// One mail: see [`mark_all_sending`]. Waits for whoever changes it at this moment.
///
/// # Errors
/// The database's.
pub async fn mark_sending(db: &Db, claim: &Claim, content: &Content) -> Result<bool> {
    let marked = mark(db, &[(claim, content)], true).await?;
    Ok(marked.get(&claim.id).copied().unwrap_or_default())
}

/// After the server's 354 and before the first byte of the body: `claimed -> sending`, freezing what the mail says. The last moment to
/// cancel: it succeeds only while what the content tells of is exactly what is owed. False: the claim was lost, or something was
/// cancelled. None: somebody is changing it at this moment.
///
/// # Errors
/// The database's.
pub async fn mark_all_sending(db: &Db, mails: &[(&Claim, &Content)]) -> Result<Vec<Option<bool>>> {
    let marked = mark(db, mails, false).await?;
    Ok(mails.iter().map(|(claim, _)| marked.get(&claim.id).copied()).collect())
}

async fn mark(db: &Db, mails: &[(&Claim, &Content)], patient: bool) -> Result<HashMap<MailId, bool>> {
    let contents: serde_json::Result<Vec<Value>> =
        mails.iter().map(|(_, content)| serde_json::to_value(content)).collect();
    let folded: Vec<_> =
        mails.iter().flat_map(|(claim, _)| claim.folded.iter().map(|held| (held, claim.id.0))).collect();
    let rows = sqlx::query!(
        r#"select mail_id as "mail_id!: MailId", marked as "marked!" from mark_sending($1, $2, $3, $4, $5, $6, $7)"#,
        &mails.iter().map(|(claim, _)| claim.id.0).collect::<Vec<_>>(),
        &mails.iter().map(|(claim, _)| claim.fence).collect::<Vec<_>>(),
        &contents.map_err(|fault| Error::Internal(Box::new(fault)))?,
        &folded.iter().map(|(held, _)| held.id.0).collect::<Vec<_>>(),
        &folded.iter().map(|(held, _)| held.fence).collect::<Vec<_>>(),
        &folded.iter().map(|(_, lead)| *lead).collect::<Vec<_>>(),
        patient,
    )
    .fetch_all(&db.pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.mail_id, row.marked)).collect())
}

/// How a try of a mail ended.
pub type Ended<'a> = (&'a Claim, &'a Outcome, Attempt<'a>);

/// One mail: see [`finish_all`]. Waits for whoever changes it at this moment; false when the claim was lost: then somebody else
/// decides, and nothing changed.
///
/// # Errors
/// The database's.
pub async fn finish(db: &Db, claim: &Claim, outcome: &Outcome, attempt: &Attempt<'_>) -> Result<bool> {
    loop {
        if finish_all(db, &[(claim, outcome, attempt.clone())]).await? == [Some(true)] {
            return Ok(true);
        }
        let held = sqlx::query_scalar!(
            r#"select exists (select from mails where id = $1 and fence = $2 and state in ('claimed', 'sending')) as "held!""#,
            claim.id.0,
            claim.fence,
        )
        .fetch_one(&db.pool)
        .await?;
        if !held {
            return Ok(false);
        }
        sleep(TURN).await;
    }
}

/// Commit 3, or the end of a try that failed. None: the claim was lost, or somebody is changing the mail at this moment. A retry beyond
/// the mail's life makes it `expired`. One that commit 2 has marked without its worker hearing of it is asked for again before it is
/// cancelled (`a_worker_whose_connection_breaks_around_any_of_its_commits_loses_nothing_and_repeats_nothing`). What was folded into a mail and did not go out with it goes its own way again.
///
/// # Errors
/// The database's.
pub async fn finish_all(db: &Db, ends: &[Ended<'_>]) -> Result<Vec<Option<bool>>> {
    let each: Vec<(Held, &'static str, f64, &Ended<'_>)> = ends
        .iter()
        .flat_map(|end| {
            let (claim, outcome, _) = *end;
            let delay =
                if let Outcome::Retry(delay) | Outcome::Later(delay) = outcome { delay.as_secs_f64() } else { 0.0 };
            claim.held().map(move |held| {
                let state = if held.id == claim.id { outcome.state() } else { "retry" };
                (held, state, delay, end)
            })
        })
        .collect();
    let ended = sqlx::query!(
        r#"with done as (
               select * from unnest($1::uuid[], $2::int[], $3::text[], $4::float8[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
                                         $9::bool[])
                    as d (id, fence, outcome, delay, reply, worker, phase, started_at, tried)
           ), free as (
               select m.id from mails m where m.id = any($1) order by m.id for update skip locked
           ), ended as (
               update mails m set lease_until = null, lost_claims = 0, queued_at = null, reason = d.reply,
                      attempts = case when d.tried then m.attempts else m.attempts - 1 end,
                      state = case when d.outcome = 'retry' and clock_timestamp() + d.delay * interval '1 second' >= m.expires_at
                                   then 'expired'
                                   when d.outcome = 'cancelled' and m.state = 'sending' then 'retry'
                                   else d.outcome end,
                      next_at = case when d.outcome = 'retry' then clock_timestamp() + d.delay * interval '1 second' else m.next_at end,
                      sent_at = case when d.outcome = 'sent' then clock_timestamp() end
               from free f join done d on d.id = f.id
               where m.id = f.id and m.fence = d.fence and m.state in ('claimed', 'sending')
               returning m.id, m.org_id, m.account_id, m.kind, m.state, m.fence, d.worker, d.started_at, d.phase, d.reply, d.tried
           ), noted as (
               insert into attempts (mail_id, fence, org_id, account_id, worker, started_at, phase, reply, outcome)
               select id, fence, org_id, account_id, worker, started_at, phase, reply, state from ended where tried
           )
           select e.id as "id: MailId", n.noted from ended e cross join (
               -- Before the body only the recipient's address is refused for good.
               select note_refusals(array_agg(account_id) filter (where state = 'dead' and phase = 'envelope'),
                                    array_agg(account_id) filter (where state = 'sent')) is null as noted
               from ended where account_id is not null and kind <> 'email_change_new') n"#,
        &each.iter().map(|(held, ..)| held.id.0).collect::<Vec<_>>(),
        &each.iter().map(|(held, ..)| held.fence).collect::<Vec<_>>(),
        &each.iter().map(|(_, state, ..)| (*state).to_owned()).collect::<Vec<_>>(),
        &each.iter().map(|(_, _, delay, _)| *delay).collect::<Vec<_>>(),
        &each.iter().map(|(.., (_, _, attempt))| attempt.reply.clone()).collect::<Vec<_>>() as _,
        &each.iter().map(|(.., (_, _, attempt))| attempt.worker.to_owned()).collect::<Vec<_>>(),
        &each.iter().map(|(.., (_, _, attempt))| attempt.phase.as_str().to_owned()).collect::<Vec<_>>(),
        each.iter().map(|(.., (claim, ..))| claim.claimed_at).collect::<Vec<_>>() as _,
        &each.iter().map(|(.., (_, outcome, _))| !matches!(outcome, Outcome::Later(_))).collect::<Vec<_>>(),
    )
    .fetch_all(&db.pool)
    .await?;
    Ok(ends.iter().map(|(claim, ..)| ended.iter().any(|row| row.id == claim.id).then_some(true)).collect())
}

/// The heartbeat of a try that takes its time. False when the claim was lost.
///
/// # Errors
/// The database's.
pub async fn renew(db: &Db, claim: &Claim) -> Result<bool> {
    let held: Vec<Held> = claim.held().collect();
    let renewed = sqlx::query_scalar!(
        r#"with free as (
               select m.id, h.fence from mails m join unnest($1::uuid[], $2::int[]) h (id, fence) on h.id = m.id
               order by m.id for update of m
           )
           update mails m
           set lease_until = clock_timestamp() + case m.state when 'claimed' then interval '8 seconds' else interval '30 seconds' end from free f
           where m.id = f.id and m.fence = f.fence and m.state in ('claimed', 'sending')
           returning m.id as "id: MailId""#,
        &held.iter().map(|held| held.id.0).collect::<Vec<_>>(),
        &held.iter().map(|held| held.fence).collect::<Vec<_>>(),
    )
    .fetch_all(&db.pool)
    .await?;
    Ok(renewed.contains(&claim.id))
}
