//! The witness of one verified request, and the openers that mint it. Each is one round trip.

use std::{
    fmt::{self, Write as _},
    marker::PhantomData,
    str::FromStr,
};

use sqlx::PgConnection;

use super::{CalendarReader, Committed, Delivered, Me, Permission, Personal, Written};
use crate::{
    audit::Origin,
    calendar::CalendarToken,
    db::{Db, Transaction},
    error::{Error, Repetition, Result},
    idempotency::{self, Begun, Claim, Outcome, RequestKey},
    ids::{AccountId, NotAnId, OrgId, SessionId},
    secrets::{Credential, Purpose, SessionToken, Token},
    shown::{Rendered, Shown},
    text::{EmailAddress, Name, Slug},
};

/// The transaction of a request whose caller holds `P` in one organization; or, with [`Me`], [`SignUp`], [`Link`] or
/// [`System`] in its place, of what happens outside organizations.
#[derive(Debug)]
pub struct Scope<P> {
    core: Core,
    holds: PhantomData<fn() -> P>,
}

/// What every scope has, whatever it proves.
#[derive(Debug)]
pub(crate) struct Core {
    transaction: Transaction,
    pub(crate) db: Db,
    /// Which request this is, for the audit log.
    pub(crate) origin: Origin,
    /// As the URL named it; binds cursors to it.
    pub(crate) org: Option<OrgRef>,
    /// Mail was written that is due soon.
    pub(crate) owes: bool,
    /// The key under which the answer will be kept.
    pub(crate) claim: Option<Claim>,
}

impl Core {
    pub(crate) fn sql(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}

/// Somebody who claims an e-mail and has proved nothing.
#[derive(Debug)]
pub enum SignUp {}

/// A stranger who asks for mail to an address; there may be no account.
#[derive(Debug)]
pub enum Mailbox {}

/// Somebody has failed to become an account: only its log may be written.
#[derive(Debug)]
pub enum Refused {}

/// The holder of a link from a mail.
#[derive(Debug)]
pub enum Link {}

/// The holder of an invitation's mail, who may have an account or not.
#[derive(Debug)]
pub enum Invited {}

/// The worker: it has a tenant and no permission.
#[derive(Debug)]
pub enum System {}

/// An organization as a URL names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrgRef {
    /// By its id.
    Id(OrgId),
    /// By its slug.
    Slug(Slug),
}

impl FromStr for OrgRef {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        text.parse().map(Self::Id).or_else(|_| text.parse().map(Self::Slug)).map_err(|_| NotAnId)
    }
}

crate::input::parsed_field!(OrgRef);
crate::schema::reads_as_text!(
    OrgRef,
    "An organization: its slug, or its id.",
    "acme",
    max_length: 40,
    pattern: crate::schema::id_pattern!("^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?|", ")$"),
);

impl fmt::Display for OrgRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Slug(slug) => slug.fmt(f),
        }
    }
}

impl<P> Scope<P> {
    /// The only way to an answer for a write.
    ///
    /// # Errors
    /// A rule that is checked at commit, or the loss of the database: then nobody knows whether it was written.
    pub async fn commit<T>(self, written: Written<T>) -> Result<Committed<T>> {
        let Core { transaction, db, owes, claim, .. } = self.core;
        // Committed like this, a request that is sent again would be done again.
        if claim.is_some() {
            return Err(Error::Internal("a request with a key must keep its answer".into()));
        }
        transaction.commit().await?;
        if owes {
            db.owed.notify_one();
        }
        Ok(Committed(written.0))
    }

    /// The same, and what was written as it is sent; kept for whoever asks again. Rendered first: what cannot be told is not done.
    ///
    /// # Errors
    /// Those of [`Scope::commit`].
    pub async fn answer<T: Shown>(mut self, written: Written<T>, outcome: Outcome) -> Result<Committed<Rendered>> {
        let rendered = Rendered::of(&written.0)?;
        idempotency::keep(&mut self.core, outcome, Some(&rendered), T::ONCE).await?;
        self.commit(written.map(|_| rendered)).await
    }

    /// The other way: nothing of it stays, and what it would have been can be told.
    #[must_use]
    pub fn take_back<T>(self, written: Written<T>) -> Committed<T> {
        Committed(written.0)
    }

    /// The same where there is nothing to say.
    ///
    /// # Errors
    /// Those of [`Scope::commit`].
    pub async fn done(mut self, written: Written<()>, outcome: Outcome) -> Result<Committed<()>> {
        idempotency::keep(&mut self.core, outcome, None, false).await?;
        self.commit(written).await
    }

    pub(crate) fn core(&mut self) -> &mut Core {
        &mut self.core
    }

    pub(crate) fn sql(&mut self) -> &mut PgConnection {
        self.core.sql()
    }

    pub(crate) fn db(&self) -> &Db {
        &self.core.db
    }

    fn new(db: &Db, transaction: Transaction, org: Option<OrgRef>, origin: &Origin) -> Self {
        let core = Core { transaction, db: db.clone(), origin: origin.clone(), org, owes: false, claim: None };
        Self { core, holds: PhantomData }
    }
}

impl Db {
    /// Verifies credential, membership and permission, in this order.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::NotFound`] when not an active member, [`Error::Moved`] for a member who uses a
    /// former slug, [`Error::Forbidden`].
    pub async fn begin_request<P: Permission>(
        &self,
        credential: &Credential,
        org: OrgRef,
        origin: &Origin,
    ) -> Result<Scope<P>> {
        self.begin_request_once(credential, org, origin, None).await?.now()
    }

    /// The same for a request with a key: it is done here and now, or was done before.
    ///
    /// # Errors
    /// Those of [`Db::begin_request`], and then [`Error::Repeated`].
    pub async fn begin_request_once<P: Permission>(
        &self,
        credential: &Credential,
        org: OrgRef,
        origin: &Origin,
        key: Option<&RequestKey>,
    ) -> Result<Begun<Scope<P>>> {
        let opener = format!("begin_request('{}', '{org}', {})", credential.hash(), P::BITS);
        self.let_in((credential, origin), &opener, Some(org), || Error::Forbidden(P::NAME), key).await
    }

    /// The same for what must see one moment in many statements.
    ///
    /// # Errors
    /// Those of [`Db::begin_request`].
    pub async fn begin_still<P: Permission>(
        &self,
        credential: &Credential,
        org: OrgRef,
        origin: &Origin,
    ) -> Result<Scope<P>> {
        let opener = format!("begin_request('{}', '{org}', {})", credential.hash(), P::BITS);
        let transaction = Transaction::open_still(&self.pool, &opener).await;
        let transaction = transaction.map_err(|fault| named(fault, || Error::Forbidden(P::NAME)))?;
        self.uses.note(&credential.hash(), origin.address);
        Ok(Scope::new(self, transaction, Some(org), origin))
    }

    /// Verifies the credential.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], or what [`Personal`] says to a token.
    pub async fn begin_account<P: Personal>(&self, credential: &Credential, origin: &Origin) -> Result<Scope<P>> {
        self.begin_account_once(credential, origin, None).await?.now()
    }

    /// The same for a request with a key.
    ///
    /// # Errors
    /// Those of [`Db::begin_account`], and then [`Error::Repeated`].
    pub async fn begin_account_once<P: Personal>(
        &self,
        credential: &Credential,
        origin: &Origin,
        key: Option<&RequestKey>,
    ) -> Result<Begun<Scope<P>>> {
        let opener = format!("begin_account('{}', {})", credential.hash(), P::SCOPE);
        self.let_in((credential, origin), &opener, None, P::REFUSAL, key).await
    }

    /// Starts a session for an account whose password has just been verified against the hash `known`.
    ///
    /// # Errors
    /// [`Error::Busy`] when the account has another hash by now.
    pub(crate) async fn begin_session(
        &self,
        account: AccountId,
        session: SessionId,
        token: &SessionToken,
        known: &str,
        origin: &Origin,
    ) -> Result<Scope<Me>> {
        let opener = format!("begin_session('{account}', '{session}', '{}', {})", token.hash(), text(known));
        self.open(&opener, origin).await
    }

    /// Finds or makes the account of an e-mail that nobody has proved to own.
    ///
    /// # Errors
    /// The database's only.
    pub async fn begin_sign_up(&self, email: &EmailAddress, name: &Name, origin: &Origin) -> Result<Scope<SignUp>> {
        let opener =
            format!("begin_sign_up({}, '{}', {})", text(email.as_str()), AccountId::new(), text(name.as_str()));
        self.open(&opener, origin).await
    }

    /// The account of an e-mail, or none: what is done in it must not be told.
    ///
    /// # Errors
    /// The database's only.
    pub async fn begin_mailbox(&self, email: &EmailAddress, origin: &Origin) -> Result<Scope<Mailbox>> {
        self.open(&format!("begin_mailbox({})", text(email.as_str())), origin).await
    }

    /// The log of an account that somebody has failed to become.
    ///
    /// # Errors
    /// The database's only.
    pub(crate) async fn begin_refusal(&self, account: AccountId, origin: &Origin) -> Result<Scope<Refused>> {
        self.open(&format!("begin_refusal('{account}')"), origin).await
    }

    /// Verifies a mailed token.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is unknown, used or too old.
    pub async fn begin_link(&self, token: &Token, purpose: Purpose, origin: &Origin) -> Result<Scope<Link>> {
        self.open(&format!("begin_link('{}', '{}')", token.hash(), purpose.as_str()), origin).await
    }

    /// Verifies the token of a mail's links, and enters the organization of its delivery as its recipient.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is unknown or too old, or its recipient is no active member any more.
    pub(crate) async fn begin_mail(&self, token: &Token, origin: &Origin) -> Result<Scope<Delivered>> {
        self.open(&format!("begin_mail('{}')", token.hash()), origin).await
    }

    /// Verifies the token in the address of a calendar, which is read as of one moment.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is unknown, replaced or revoked.
    pub async fn begin_calendar(&self, token: &CalendarToken, origin: &Origin) -> Result<Scope<CalendarReader>> {
        let opener = format!("begin_calendar('{}')", token.hash());
        let transaction = Transaction::open_still(&self.pool, &opener).await?;
        self.uses.note(&token.hash(), None);
        Ok(Scope::new(self, transaction, None, origin))
    }

    /// Verifies the token of an invitation.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is unknown, answered, revoked or too old.
    pub(crate) async fn begin_offer(&self, token: &Token, origin: &Origin) -> Result<Scope<Invited>> {
        self.open(&format!("begin_offer('{}')", token.hash()), origin).await
    }

    /// The same, and finds or makes the account of the invited address, which must not have a verified one.
    ///
    /// # Errors
    /// [`Error::NotFound`] then too.
    pub(crate) async fn begin_joining(&self, token: &Token, name: &Name, origin: &Origin) -> Result<Scope<Invited>> {
        let opener = format!("begin_joining('{}', '{}', {})", token.hash(), AccountId::new(), text(name.as_str()));
        self.open(&opener, origin).await
    }

    /// The tenant of a mail, for the worker alone (a test sees to it).
    ///
    /// # Errors
    /// The database's only.
    pub async fn for_job(&self, org: Option<OrgId>, account: Option<AccountId>) -> Result<Scope<System>> {
        let id = |id: Option<String>| id.map_or_else(|| "null".to_owned(), |id| format!("'{id}'"));
        let opener = format!("begin_job({}, {})", id(org.map(|o| o.to_string())), id(account.map(|a| a.to_string())));
        self.open(&opener, &Origin::default()).await
    }

    async fn open<W>(&self, opener: &str, origin: &Origin) -> Result<Scope<W>> {
        Ok(Scope::new(self, Transaction::open(&self.pool, opener).await?, None, origin))
    }

    /// Opens, and claims the key in the same message: authorization comes first, and costs no more than without.
    async fn let_in<P>(
        &self,
        (credential, origin): (&Credential, &Origin),
        opener: &str,
        org: Option<OrgRef>,
        refusal: fn() -> Error,
        key: Option<&RequestKey>,
    ) -> Result<Begun<Scope<P>>> {
        let claimed = key.map(|key| format!("{opener}; select {}", key.claim()));
        let transaction = match self.admit(claimed.as_deref().unwrap_or(opener), refusal).await {
            Err(fault) if !matches!(fault, Error::Repeated(_)) => return Err(fault),
            transaction => transaction,
        };
        self.uses.note(&credential.hash(), origin.address);
        match (transaction, key) {
            (Err(Error::Repeated(Repetition::Answered)), Some(key)) => {
                let transaction = self.admit(opener, refusal).await?;
                let mut scope: Scope<P> = Scope::new(self, transaction, org, origin);
                idempotency::recall(&mut scope.core, key).await.map(Begun::Before)
            }
            (transaction, key) => {
                let mut scope = Scope::new(self, transaction?, org, origin);
                scope.core.claim = key.map(Claim::new);
                Ok(Begun::Now(scope))
            }
        }
    }

    /// Opens, and names what is missing where the opener only says that something is.
    async fn admit(&self, opener: &str, refusal: fn() -> Error) -> Result<Transaction> {
        Transaction::open(&self.pool, opener).await.map_err(|fault| named(fault, refusal))
    }
}

/// Names what is missing where the opener only says that something is.
fn named(fault: sqlx::Error, refusal: impl FnOnce() -> Error) -> Error {
    match &fault {
        sqlx::Error::Database(said) if said.code().as_deref() == Some("TB403") => refusal(),
        _ => fault.into(),
    }
}

/// Text of a stranger travels as hexadecimal digits, which cannot carry SQL.
fn text(text: &str) -> String {
    let digits = text.bytes().fold(String::with_capacity(text.len() * 2), |mut digits, byte| {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    });
    format!("convert_from(decode('{digits}', 'hex'), 'UTF8')")
}
