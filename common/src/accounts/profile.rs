//! What people may change of themselves without anybody's leave.

use deserr::Deserr;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Account, find, lock};
use crate::{
    access::{Me, Scope, Written},
    audit::{self, Action, Event},
    error::{Error, Result},
    input::{Faults, Given, Patch},
    precondition::Precondition,
    reminders,
    text::{Locale, Name},
    time::TimeZoneName,
};

/// A merge patch: what is absent stays, null clears.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct AccountChanges {
    /// What others call them.
    #[deserr(default)]
    pub name: Given<Name>,
    /// IANA name; null for the organization's.
    #[deserr(default)]
    pub time_zone: Patch<TimeZoneName>,
    /// A language tag; null for the deployment's.
    #[deserr(default)]
    pub locale: Patch<Locale>,
}

/// Changes the caller.
///
/// # Errors
/// Those of the precondition.
pub async fn update(
    scope: &mut Scope<Me>,
    precondition: &Precondition,
    wanted: AccountChanges,
) -> Result<Written<Account>> {
    let name = wanted.name.0.as_ref().map(Name::as_str);
    let (time_zone, locale) = (wanted.time_zone.as_ref(), wanted.locale.as_ref());
    let core = scope.core();
    lock(core).await?.ok_or(Error::Unauthenticated)?;
    let before = find(core).await?;
    precondition.check(before.version)?;
    let changed = sqlx::query!(
        "with wanted as (
             select coalesce($1, name) as name, case when $2 then $3 else time_zone end as time_zone,
                    case when $4 then $5 else locale end as locale
             from accounts where id = current_account())
         update accounts a set name = w.name, time_zone = w.time_zone, locale = w.locale, version = version + 1 from wanted w
         where a.id = current_account() and (a.name, a.time_zone, a.locale) is distinct from (w.name, w.time_zone, w.locale)",
        name,
        time_zone.is_some(),
        time_zone.flatten().map(TimeZoneName::as_str),
        locale.is_some(),
        locale.flatten().map(Locale::as_str),
    )
    .execute(core.sql())
    .await?;
    if changed.rows_affected() == 0 {
        return Ok(Written(before));
    }
    let after = find(core).await?;
    if after.time_zone != before.time_zone {
        reminders::ask_everywhere(core).await?;
    }
    let event = Event::new(Action::AccountUpdated).about(after.id).before(told(&before)).after(told(&after));
    audit::record(core, event).await?;
    Ok(Written(after))
}

fn told(account: &Account) -> Value {
    json!({ "name": account.name, "time_zone": account.time_zone, "locale": account.locale })
}
