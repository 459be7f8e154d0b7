use deserr::Deserr;
use utoipa::ToSchema;

use super::refuse_made_of;
use crate::{
    access::Committed,
    audit::Origin,
    config::Registration,
    db::Db,
    error::{Error, Refusal, Result},
    ids::{AccountId, VerificationId},
    input::Faults,
    mails::{self, MailKind, Owed},
    passwords::{self, NewPassword},
    secrets::Purpose,
    text::{EmailAddress, Name},
    throttle::{self, Door},
};

/// Somebody who wants an account.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewAccount {
    /// Will be proved by a mail.
    pub email: EmailAddress,
    /// What others call them.
    pub name: Name,
    /// 12 to 256 characters.
    pub password: NewPassword,
}

/// Takes a sign-up in. The account begins with its verification; an address that already has one is told so by mail, and
/// the answer is the same (tests/api/accounts.rs: `sign_up_does_not_tell_whether_an_address_is_known`). Where one must be
/// invited, an address that nobody waits for gets the same answer and no mail.
///
/// # Errors
/// A password made of the address or the name, [`Error::Throttled`], [`Error::Busy`], or that the deployment takes nobody.
pub async fn sign_up(db: &Db, new: NewAccount, registration: Registration, origin: &Origin) -> Result<()> {
    if registration == Registration::Closed {
        return Err(Error::Refused(Refusal::RegistrationClosed));
    }
    refuse_made_of(&[new.email.as_str(), new.name.as_str()], &new.password, "/password")?;
    let _ = throttle::enter(db, Door::Mail, new.email.as_str(), origin).await?;
    let password_hash = passwords::hash(new.password).await?;
    if registration == Registration::Invited && !is_expected(db, &new.email).await? {
        return Ok(());
    }
    let mut scope = db.begin_sign_up(&new.email, &new.name, origin).await?;
    let id = VerificationId::new();
    let token_hash = scope.db().key().mailed_token(Purpose::Verification, id.0).hash();
    // The password waits in this row until the mail proves who sent it: whoever signs up with somebody else's address
    // leaves nothing behind that would count later.
    let account = sqlx::query!(
        r#"with known as (select id, email_verified_at is not null as verified from accounts where id = current_account()),
                waiting as (
                    insert into verifications (id, account_id, name, password_hash, token_hash, expires_at)
                    select $1, known.id, $2, $3, $4, now() + interval '24 hours' from known where not known.verified)
           select id as "id: AccountId", verified as "verified!" from known"#,
        id.0,
        new.name.as_str(),
        password_hash,
        token_hash.as_bytes(),
    )
    .fetch_one(scope.sql())
    .await?;
    let owed = if account.verified {
        Owed::to_account(MailKind::AlreadyRegistered, account.id)
    } else {
        Owed { verification: Some(id), ..Owed::to_account(MailKind::Verification, account.id) }
    };
    let written = mails::owe(scope.core(), &[owed]).await?;
    scope.commit(written).await.map(Committed::into_inner)
}

/// Whether an invitation waits for the address, or an account.
async fn is_expected(db: &Db, email: &EmailAddress) -> Result<bool> {
    let expected =
        sqlx::query_scalar!(r#"select is_expected($1) as "expected!""#, email.as_str()).fetch_one(&db.pool).await?;
    Ok(expected)
}
