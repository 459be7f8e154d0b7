//! Setting a second factor up and taking it down.

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{RecoveryCodes, TotpCode, TotpSecret};
use crate::{
    access::{Me, Scope, Written},
    audit::{self, Action, Event},
    error::{Error, Result},
    ids::SecondFactorId,
    input::Faults,
    mails::{self, Notice, Owed},
    sessions::Confirmed,
    shown::shown,
    text::EmailAddress,
};

/// Whether an account has a second factor.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SecondFactor {
    /// Whether it counts at sign-in.
    pub enabled: bool,
    /// Since when.
    pub confirmed_at: Option<Timestamp>,
    /// How many recovery codes are left.
    pub recovery_codes_left: u32,
}

shown!(SecondFactor);

/// What an authenticator app needs; shown while the factor is set up.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Enrolment {
    /// Base32, to be typed.
    pub secret: String,
    /// `otpauth://totp/…`, to be shown as a QR code.
    pub uri: String,
}

shown!(once Enrolment);

/// Ten codes to write down; the only time they are shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NewRecoveryCodes {
    /// Each counts once.
    pub recovery_codes: Vec<String>,
}

shown!(once NewRecoveryCodes);

/// The first code of the app, which proves that it was set up.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct FirstCode {
    /// Six digits.
    pub code: TotpCode,
}

/// Whether the caller has one.
///
/// # Errors
/// The database's.
pub async fn show(scope: &mut Scope<Me>) -> Result<SecondFactor> {
    let row = sqlx::query!("select confirmed_at, used_codes from second_factors").fetch_optional(scope.sql()).await?;
    Ok(match row {
        Some(row) if row.confirmed_at.is_some() => SecondFactor {
            enabled: true,
            confirmed_at: row.confirmed_at,
            recovery_codes_left: 10 - (row.used_codes & 0x3ff).count_ones(),
        },
        _ => SecondFactor { enabled: false, confirmed_at: None, recovery_codes_left: 0 },
    })
}

/// Begins to set one up: another secret each time, until one is confirmed.
///
/// # Errors
/// `second_factor_enabled` when one counts already.
pub async fn enrol(scope: &mut Scope<Me>, confirmed: &Confirmed) -> Result<Written<Enrolment>> {
    let id = SecondFactorId::new();
    let written = sqlx::query!(
        "insert into second_factors (account_id, id) values (current_account(), $1)
         on conflict on constraint second_factors_pkey do update set id = excluded.id, created_at = now(), last_step = 0
         where second_factors.confirmed_at is null",
        id.0,
    )
    .execute(scope.sql())
    .await?;
    if written.rows_affected() == 0 {
        return Err(Error::Conflict { code: "second_factor_enabled", detail: "a second factor counts already" });
    }
    let secret = TotpSecret::derive(scope.db().key(), id.0);
    let email: EmailAddress = confirmed.email.parse().map_err(|fault| Error::Internal(Box::new(fault)))?;
    Ok(Written(Enrolment { secret: secret.reveal(), uri: secret.uri(&email) }))
}

/// Switches it on with the app's first code, and gives the recovery codes.
///
/// # Errors
/// [`Error::NotFound`] when none is being set up, [`Error::SecondFactor`] for a wrong code.
pub async fn switch_on(scope: &mut Scope<Me>, first: &FirstCode) -> Result<Written<NewRecoveryCodes>> {
    let row = sqlx::query!(
        r#"select account_id as "account: crate::ids::AccountId", id, generation, now() as "now!" from second_factors
           where confirmed_at is null for update"#
    )
    .fetch_optional(scope.sql())
    .await?
    .ok_or(Error::NotFound)?;
    let step = TotpSecret::verify_by(scope.db().key(), row.id, &first.code, row.now.to_jiff().as_second())
        .ok_or(Error::SecondFactor { given: true })?;
    sqlx::query!("update second_factors set confirmed_at = now(), last_step = $1, used_codes = 0", step)
        .execute(scope.sql())
        .await?;
    audit::record(scope.core(), Event::new(Action::SecondFactorEnabled)).await?;
    let recovery_codes = RecoveryCodes::derive(scope.db().key(), row.id, row.generation).reveal();
    let told = mails::owe(scope.core(), &[Owed::notice(row.account, &Notice::SecondFactorEnabled)]).await?;
    Ok(told.map(|()| NewRecoveryCodes { recovery_codes }))
}

/// Other recovery codes; those before are void.
///
/// # Errors
/// [`Error::NotFound`] when no second factor counts.
pub async fn renew_codes(scope: &mut Scope<Me>, _: &Confirmed) -> Result<Written<NewRecoveryCodes>> {
    let row = sqlx::query!(
        "update second_factors set generation = generation + 1, used_codes = 0 where confirmed_at is not null returning id, generation"
    )
    .fetch_optional(scope.sql())
    .await?
    .ok_or(Error::NotFound)?;
    audit::record(scope.core(), Event::new(Action::RecoveryCodesRenewed)).await?;
    let recovery_codes = RecoveryCodes::derive(scope.db().key(), row.id, row.generation).reveal();
    Ok(Written(NewRecoveryCodes { recovery_codes }))
}

/// Switches it off.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn switch_off(scope: &mut Scope<Me>, confirmed: &Confirmed) -> Result<Written<()>> {
    let gone = sqlx::query!("delete from second_factors").execute(scope.sql()).await?;
    if gone.rows_affected() == 0 {
        return Err(Error::NotFound);
    }
    audit::record(scope.core(), Event::new(Action::SecondFactorDisabled)).await?;
    mails::owe(scope.core(), &[Owed::notice(confirmed.account, &Notice::SecondFactorDisabled)]).await
}
