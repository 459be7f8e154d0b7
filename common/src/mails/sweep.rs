//! What was left behind: leases that ended, fates unknown, mails past their life, and hints that Redis lost.

use crate::{config::Uncertain, db::Db, error::Result, ids::MailId};

/// What a round has found.
#[derive(Clone, Debug, Default)]
pub struct Swept {
    /// Claims given back because their lease ended before the body.
    pub reclaimed: u64,
    /// Leases that ended in the middle of the body.
    pub uncertain: u64,
    /// Mails past their life.
    pub expired: u64,
    /// Due for more than three seconds and unclaimed: Redis is gone or has forgotten them. To be claimed without it.
    pub overdue: Vec<MailId>,
}

/// Five workers were lost over the same mail: the mail is the poison.
const POISON: i32 = 5;

/// One round; several workers may run it at once.
///
/// # Errors
/// The database's.
pub async fn sweep(db: &Db, policy: Uncertain, most: i32) -> Result<Swept> {
    let reclaimed = sqlx::query!(
        "update mails set lease_until = null, queued_at = null, lost_claims = lost_claims + 1, next_at = clock_timestamp(),
                reason = 'the worker was lost before the body',
                state = case when lost_claims + 1 >= $1 then 'dead' else 'retry' end
         where id in (select id from mails where state = 'claimed' and lease_until <= clock_timestamp() for update skip locked)",
        POISON,
    )
    .execute(&db.pool)
    .await?;
    let uncertain = sqlx::query!(
        "update mails set lease_until = null, state = 'uncertain', reason = 'the worker was lost in the middle of the body'
         where id in (select id from mails where state = 'sending' and lease_until <= clock_timestamp() for update skip locked)"
    )
    .execute(&db.pool)
    .await?;
    if policy == Uncertain::Resend {
        sqlx::query!(
            // With each try the pause doubles: a relay that takes the body and then hangs up is not flooded with copies.
            "update mails set state = 'retry', queued_at = null, reason = 'sent again: its fate was unknown',
                    next_at = clock_timestamp() + least(interval '15 minutes', interval '1 second' * (2 ^ least(attempts, 12)))
             where id in (select id from mails where state = 'uncertain' and held_at is null for update skip locked)"
        )
        .execute(&db.pool)
        .await?;
    }
    let expired = sqlx::query!(
        "update mails set state = 'expired', reason = 'too late to be of use'
         where id in (select id from mails where state in ('scheduled', 'retry') and next_at <= clock_timestamp()
                      and expires_at <= clock_timestamp() and may_go(kind, held_at, $1) for update skip locked)",
        db.paused,
    )
    .execute(&db.pool)
    .await?;
    let overdue = overdue(db, most).await?;
    Ok(Swept {
        reclaimed: reclaimed.rows_affected(),
        uncertain: uncertain.rows_affected(),
        expired: expired.rows_affected(),
        overdue,
    })
}

/// The bypass: in turn, as the dispatcher takes them. What was hinted at less than three seconds ago is on its way.
async fn overdue(db: &Db, most: i32) -> Result<Vec<MailId>> {
    let ids = sqlx::query_scalar!(
        r#"select id as "id!: MailId" from take_turns($1, interval '-3 seconds', interval '3 seconds', $2)"#,
        most,
        db.paused,
    )
    .fetch_all(&db.pool)
    .await?;
    Ok(ids)
}
