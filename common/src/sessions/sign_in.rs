//! Signing in.

use deserr::Deserr;
use jiff::Timestamp as Instant;
use jiff_sqlx::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    access::{Committed, Me, Scope, Written},
    audit::{self, Action, Event, Origin},
    db::Db,
    error::{Error, Result},
    ids::{AccountId, SessionId},
    input::Faults,
    passwords::{self, ClaimedPassword},
    second_factor::{RecoveryCodes, SecondFactorCode, TotpSecret},
    secrets::SessionToken,
    shown::shown,
    text::EmailAddress,
    throttle::{self, Door},
};

/// Somebody who claims to own an account.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct SignIn {
    /// The account's address.
    pub email: EmailAddress,
    /// Its password.
    pub password: ClaimedPassword,
    /// Of the second factor, where the account has one: six digits, or a recovery code.
    #[deserr(default)]
    pub code: Option<SecondFactorCode>,
}

/// A new session; the only time its token is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub account_id: AccountId,
    /// For the header `Authorization: Bearer …`.
    pub token: String,
    /// Until when it counts at most; it ends earlier when it is not used for fourteen days.
    pub expires_at: Timestamp,
}

shown!(once NewSession);

/// What is stored of an account's second factor.
struct Factor {
    id: uuid::Uuid,
    generation: i32,
}

/// How the second factor was answered.
enum Answer {
    Step(i64),
    Recovery(u8),
}

/// Signs in. The throttle comes before the hash, and no connection is held while the password is hashed.
///
/// # Errors
/// [`Error::WrongPassword`] for an unknown address too; [`Error::SecondFactor`], [`Error::Throttled`], [`Error::Busy`], also
/// when the password was changed while it was being compared.
pub async fn sign_in(db: &Db, claim: SignIn, origin: &Origin) -> Result<Committed<NewSession>> {
    let attempt = throttle::enter(db, Door::Password, claim.email.as_str(), origin).await;
    let stored = sqlx::query!(
        r#"select account_id as "account_id!: AccountId", password_hash as "password_hash!", factor_id, generation, now() as "now!"
           from sign_in_claims($1)"#,
        claim.email.as_str(),
    )
    .fetch_optional(&db.pool)
    .await?;
    let account = stored.as_ref().map(|row| row.account_id);
    let attempt = match (attempt, account) {
        (Err(Error::Throttled(wait)), Some(account)) => {
            throttle::tell_once(db, account, origin).await?;
            return Err(Error::Throttled(wait));
        }
        (attempt, _) => attempt?,
    };
    let hash = stored.as_ref().map(|row| row.password_hash.clone());
    let verdict = passwords::verify(claim.password.clone(), hash).await?;
    let Some(row) = stored.filter(|_| verdict.fits) else {
        if let Some(account) = account {
            throttle::tell(db, account, Action::SessionRefused, origin).await?;
        }
        return Err(Error::WrongPassword);
    };
    let factor = row.factor_id.zip(row.generation).map(|(id, generation)| Factor { id, generation });
    let answer = match factor.map(|factor| answer(db, &factor, claim.code.as_ref(), row.now.to_jiff())).transpose() {
        Err(refusal) => {
            throttle::tell(db, row.account_id, Action::SessionRefused, origin).await?;
            return Err(refusal);
        }
        Ok(answer) => answer,
    };
    // Parameters have risen since the hash was made.
    let rehashed = if verdict.outdated { Some(passwords::rehash(claim.password).await?) } else { None };
    let session = open(db, (row.account_id, &row.password_hash), answer, rehashed, origin).await?;
    attempt.forgive(db).await?;
    Ok(session)
}

fn answer(db: &Db, factor: &Factor, code: Option<&SecondFactorCode>, now: Instant) -> Result<Answer> {
    let found = match code {
        None => return Err(Error::SecondFactor { given: false }),
        // Of whichever server key: people do not set their apps up anew because it has changed.
        Some(SecondFactorCode::Totp(code)) => {
            TotpSecret::verify_by(db.key(), factor.id, code, now.as_second()).map(Answer::Step)
        }
        Some(SecondFactorCode::Recovery(code)) => {
            RecoveryCodes::matching_by(db.key(), factor.id, factor.generation, code).map(Answer::Recovery)
        }
    };
    found.ok_or(Error::SecondFactor { given: true })
}

async fn open(
    db: &Db,
    (account_id, known): (AccountId, &str),
    answer: Option<Answer>,
    rehashed: Option<String>,
    origin: &Origin,
) -> Result<Committed<NewSession>> {
    let (id, token) = (SessionId::new(), SessionToken::random()?);
    let mut scope = db.begin_session(account_id, id, &token, known, origin).await?;
    if let Some(answer) = answer {
        use_up(&mut scope, answer).await?;
    }
    if let Some(hash) = rehashed {
        sqlx::query!("update accounts set password_hash = $1 where id = current_account()", hash)
            .execute(scope.sql())
            .await?;
    }
    let expires_at = sqlx::query_scalar!(
        "update sessions set address = $2::text::inet, user_agent = left($3, 200) where id = $1 returning expires_at",
        id.0,
        origin.address.map(|address| address.to_string()),
        origin.user_agent,
    )
    .fetch_one(scope.sql())
    .await?;
    audit::record(scope.core(), Event::new(Action::SessionCreated).about(id)).await?;
    scope.commit(Written(NewSession { id, account_id, token: token.reveal(), expires_at })).await
}

/// No code counts twice, not even for two who use it at the same moment (tests/api: `a_code_counts_once`).
async fn use_up(scope: &mut Scope<Me>, answer: Answer) -> Result<()> {
    let used = match answer {
        Answer::Step(step) => {
            sqlx::query!("update second_factors set last_step = $1 where last_step < $1", step)
                .execute(scope.sql())
                .await?
        }
        Answer::Recovery(index) => {
            let used = sqlx::query!(
                "update second_factors set used_codes = used_codes | (1 << $1) where used_codes & (1 << $1) = 0",
                i32::from(index),
            )
            .execute(scope.sql())
            .await?;
            audit::record(scope.core(), Event::new(Action::RecoveryCodeUsed)).await?;
            used
        }
    };
    if used.rows_affected() == 1 { Ok(()) } else { Err(Error::SecondFactor { given: true }) }
}
