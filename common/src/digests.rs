//! Somebody's day in an organization, by mail: owed at the hour that they have set (`notifications`), once a local day. What it says is
//! read when it goes out (`mails`).

use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use tracing::warn;

use crate::{
    access::Written,
    db::Db,
    error::Result,
    ids::{AccountId, OrgId},
    mails::{self, MailKind, Owed},
    time::{Hour, TimeZoneName, next_at},
};

/// How long it is of use, from when it is owed on: one that comes late after an outage comes all the same.
const LIFE: SignedDuration = SignedDuration::from_hours(12);

/// Owes so many people at most the digest that is due; gives how many there were. Whoever has missed some gets one. Any number of workers
/// may do it at once, and whoever cannot be told stops nobody else.
///
/// # Errors
/// The database's; that of the last person for whom it failed.
pub async fn owe_due(db: &Db, most: i64) -> Result<u64> {
    let due = sqlx::query!(
        r#"select org_id as "org!: OrgId", account_id as "account!: AccountId" from digests_due($1)"#,
        most
    )
    .fetch_all(&db.pool)
    .await?;
    let (mut done, mut failed) = (0, None);
    for turn in due {
        match one(db, turn.org, turn.account).await {
            Ok(taken) => done += u64::from(taken),
            Err(fault) => {
                warn!(org = %turn.org, account = %turn.account, fault = fault.story(), "somebody's digest could not be owed");
                failed = Some(after_the_others(db, turn.org, turn.account).await.err().unwrap_or(fault));
            }
        }
    }
    failed.map_or(Ok(done), Err)
}

/// Whoever cannot be told is tried again when those who wait have had their turn (`whoever_cannot_be_told_stops_nobody_else`).
async fn after_the_others(db: &Db, org: OrgId, account: AccountId) -> Result<()> {
    let mut scope = db.for_job(Some(org), None).await?;
    sqlx::query!(
        "update notification_settings set digest_tried_at = now() where org_id = current_org() and account_id = $1",
        account.0,
    )
    .execute(scope.sql())
    .await?;
    scope.commit(Written(())).await?;
    Ok(())
}

async fn one(db: &Db, org: OrgId, account: AccountId) -> Result<bool> {
    let mut scope = db.for_job(Some(org), None).await?;
    let core = scope.core();
    // Kept as they are, as by all who plan for somebody: a change of their settings, or the end of their membership, waits.
    let active = sqlx::query_scalar!(
        r#"select status = 'active' as "active!" from memberships where org_id = current_org() and account_id = $1 for share"#,
        account.0,
    )
    .fetch_optional(core.sql())
    .await?;
    let due = sqlx::query!(
        r#"select n.next_digest_at as "at!", n.digest_hour as "hour!", n.digest_days as "days!", now() as "now!",
                  coalesce(a.time_zone, o.time_zone) as "zone!", o.deletion_due_at is null as "lives!"
           from notification_settings n join organizations o on o.id = n.org_id join accounts a on a.id = n.account_id
           where n.org_id = current_org() and n.account_id = $1 and n.next_digest_at <= now() for update of n skip locked"#,
        account.0,
    )
    .fetch_optional(core.sql())
    .await?;
    let Some(due) = due else { return Ok(false) };
    let (zone, now, at) = (TimeZoneName::stored(&due.zone), due.now.to_jiff(), due.at.to_jiff());
    let next = next_at(Hour::stored(due.hour).time(), due.days, zone.rules(), now);
    sqlx::query!(
        "update notification_settings set next_digest_at = $2 where org_id = current_org() and account_id = $1",
        account.0,
        next.map(ToSqlx::to_sqlx) as _,
    )
    .execute(core.sql())
    .await?;
    let today = now.to_zoned(zone.rules().clone()).date();
    let told = sqlx::query_scalar!(
        r#"select exists (select from deliveries where org_id = current_org() and account_id = $1 and digest_on = $2) as "told!""#,
        account.0,
        today.to_sqlx() as _,
    )
    .fetch_one(core.sql())
    .await?;
    let written = if active == Some(true) && due.lives && !told {
        let life = Some(now.duration_since(at) + LIFE);
        let owed =
            Owed { digest_on: Some(today), due_at: Some(at), life, ..Owed::to_account(MailKind::Digest, account) };
        mails::owe(core, &[owed]).await?
    } else {
        Written(())
    };
    scope.commit(written).await?;
    Ok(true)
}
