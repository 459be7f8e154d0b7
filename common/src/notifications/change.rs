//! Another wish, and what follows from it at once.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;

use super::{DefaultReminders, NotificationSettings, SettingsChanges, caller, find};
use crate::{
    access::{Core, Member, Scope, Written},
    deliveries,
    error::{Error, Result},
    ids::AccountId,
    mails::MailKind,
    precondition::Precondition,
    reminders,
    time::{Hour, TimeZoneName, next_at},
};

/// Changes the caller's. What is the same already makes no version. What is still owed and no longer wanted is cancelled in the same
/// transaction; what has another time now is planned anew, and none of it goes out before.
///
/// # Errors
/// Those of the precondition; [`Error::NotFound`], [`Error::Forbidden`].
pub async fn update(
    scope: &mut Scope<Member>,
    precondition: &Precondition,
    changes: SettingsChanges,
) -> Result<Written<NotificationSettings>> {
    caller(scope.core()).await?;
    apply(scope.core(), precondition, changes).await
}

/// The same, of whoever the transaction is for.
pub(crate) async fn apply(
    core: &mut Core,
    precondition: &Precondition,
    changes: SettingsChanges,
) -> Result<Written<NotificationSettings>> {
    let caller = sqlx::query_scalar!(r#"select current_account() as "id!: AccountId""#).fetch_one(core.sql()).await?;
    lock(core, caller).await?;
    let before = find(core, caller).await?;
    precondition.check(before.version)?;
    let after = changes.applied(&before);
    set(core, caller, &before, after).await
}

/// Somebody as they are, for a change of their own wishes: whoever plans for them at this moment keeps them, and is waited for.
pub(super) async fn lock(core: &mut Core, account: AccountId) -> Result<()> {
    sqlx::query!(
        "select account_id from memberships where account_id = $1 and status = 'active' for no key update",
        account.0,
    )
    .fetch_optional(core.sql())
    .await?
    .ok_or(Error::NotFound)?;
    Ok(())
}

async fn set(
    core: &mut Core,
    account: AccountId,
    before: &NotificationSettings,
    after: NotificationSettings,
) -> Result<Written<NotificationSettings>> {
    if *before == after {
        return Ok(Written(after));
    }
    let next = if after.digest == before.digest { None } else { next_digest(core, account, &after).await? };
    let version = store(core, account, &after, after.digest != before.digest, next).await?;
    for (was, is, kind) in [
        (before.reminders, after.reminders, MailKind::Reminder),
        (before.comments, after.comments, MailKind::Comment),
        (before.digest.is_some(), after.digest.is_some(), MailKind::Digest),
    ] {
        if was && !is {
            deliveries::cancel_kind(core, account, kind, None, "unsubscribed").await?;
        }
    }
    let clock = |settings: &NotificationSettings| (settings.reminder_hour, settings.quiet());
    if clock(before) != clock(&after) || (!before.reminders && after.reminders) {
        reminders::ask(core, account).await?;
    }
    Ok(Written(NotificationSettings { version, ..after }))
}

async fn store(
    core: &mut Core,
    account: AccountId,
    after: &NotificationSettings,
    other_digest: bool,
    next_digest: Option<Timestamp>,
) -> Result<i32> {
    let version = sqlx::query_scalar!(
        "insert into notification_settings as n
             (org_id, account_id, reminder_hour, quiet_from, quiet_until, days_off, reminders, comments, digest_hour, digest_days,
              next_digest_at, default_reminders)
         values (current_org(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict on constraint notification_settings_pkey do update
         set reminder_hour = excluded.reminder_hour, quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until,
             days_off = excluded.days_off, reminders = excluded.reminders, comments = excluded.comments,
             digest_hour = excluded.digest_hour, digest_days = excluded.digest_days,
             next_digest_at = case when $12 then excluded.next_digest_at else n.next_digest_at end,
             default_reminders = excluded.default_reminders, version = n.version + 1, updated_at = now()
         returning version",
        account.0,
        (after.reminder_hour != Hour::MORNING).then(|| after.reminder_hour.sql()) as _,
        after.quiet_hours.map(|hours| hours.from.sql()) as _,
        after.quiet_hours.map(|hours| hours.until.sql()) as _,
        after.days_off.sql(),
        after.reminders,
        after.comments,
        after.digest.map(|digest| digest.hour.sql()) as _,
        after.digest.map(|digest| digest.days.sql()),
        next_digest.map(ToSqlx::to_sqlx) as _,
        after.default_reminders.as_ref() as Option<&DefaultReminders>,
        other_digest,
    )
    .fetch_one(core.sql())
    .await?;
    Ok(version)
}

/// When their next digest comes.
async fn next_digest(core: &mut Core, account: AccountId, after: &NotificationSettings) -> Result<Option<Timestamp>> {
    let Some(digest) = after.digest else { return Ok(None) };
    let clock = sqlx::query!(
        r#"select now() as "now!", coalesce(a.time_zone, o.time_zone) as "zone!"
           from organizations o, accounts a where o.id = current_org() and a.id = $1"#,
        account.0,
    )
    .fetch_one(core.sql())
    .await?;
    let zone = TimeZoneName::stored(&clock.zone);
    Ok(next_at(digest.hour.time(), digest.days.sql(), zone.rules(), clock.now.to_jiff()))
}

/// When somebody's next digest comes, by the clock that they live by now. One that is due already stays due.
pub(crate) async fn set_clock(core: &mut Core, account: AccountId) -> Result<()> {
    let settings = find(core, account).await?;
    if let Some(next) = next_digest(core, account, &settings).await? {
        sqlx::query!(
            "update notification_settings set next_digest_at = $2
             where account_id = $1 and (next_digest_at > now()) is not false",
            account.0,
            next.to_sqlx() as _,
        )
        .execute(core.sql())
        .await?;
    }
    Ok(())
}
