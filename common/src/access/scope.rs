//! The witness of one verified request, and the openers that mint it. Each is one round trip.

use std::{
    fmt::{self, Write as _},
    marker::PhantomData,
    str::FromStr,
};

use sqlx::PgConnection;

use super::{Committed, Permission, Written};
use crate::{
    db::{Db, Transaction},
    error::{Error, Result},
    ids::{AccountId, NotAnId, OrgId, SessionId},
    secrets::{Purpose, SessionToken, Token},
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
    /// As the URL named it; binds cursors to it.
    pub(crate) org: Option<OrgRef>,
    /// Mail was written that is due soon.
    pub(crate) owes: bool,
}

impl Core {
    pub(crate) fn sql(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}

/// The caller, in no organization.
#[derive(Debug)]
pub enum Me {}

/// Somebody who claims an e-mail and has proved nothing.
#[derive(Debug)]
pub enum SignUp {}

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
        let Core { transaction, db, owes, .. } = self.core;
        transaction.commit().await?;
        if owes {
            db.owed.notify_one();
        }
        Ok(Committed(written.0))
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

    fn new(db: &Db, transaction: Transaction, org: Option<OrgRef>) -> Self {
        Self { core: Core { transaction, db: db.clone(), org, owes: false }, holds: PhantomData }
    }
}

impl Db {
    /// Verifies credential, membership and permission, in this order.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::NotFound`] when not an active member, [`Error::Forbidden`].
    pub async fn begin_request<P: Permission>(&self, token: &SessionToken, org: OrgRef) -> Result<Scope<P>> {
        let opener = format!("begin_request('{}', '{org}', {})", token.hash(), P::BITS);
        match Transaction::open(&self.pool, &opener).await {
            Ok(transaction) => Ok(Scope::new(self, transaction, Some(org))),
            Err(sqlx::Error::Database(refusal)) if refusal.code().as_deref() == Some("TB403") => {
                Err(Error::Forbidden(P::NAME))
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Verifies the credential.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn begin_account(&self, token: &SessionToken) -> Result<Scope<Me>> {
        self.open(&format!("begin_account('{}')", token.hash())).await
    }

    /// Starts a session for an account whose password has just been verified.
    ///
    /// # Errors
    /// The database's only.
    pub(crate) async fn begin_session(
        &self,
        account: AccountId,
        session: SessionId,
        token: &SessionToken,
    ) -> Result<Scope<Me>> {
        self.open(&format!("begin_session('{account}', '{session}', '{}')", token.hash())).await
    }

    /// Finds or makes the account of an e-mail that nobody has proved to own.
    ///
    /// # Errors
    /// The database's only.
    pub async fn begin_sign_up(&self, email: &EmailAddress, name: &Name) -> Result<Scope<SignUp>> {
        self.open(&format!("begin_sign_up({}, '{}', {})", text(email.as_str()), AccountId::new(), text(name.as_str())))
            .await
    }

    /// Verifies a mailed token.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is unknown, used or too old.
    pub async fn begin_link(&self, token: &Token, purpose: Purpose) -> Result<Scope<Link>> {
        self.open(&format!("begin_link('{}', '{}')", token.hash(), purpose.as_str())).await
    }

    /// Verifies the token of an invitation.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is unknown, answered, revoked or too old.
    pub async fn begin_offer(&self, token: &Token) -> Result<Scope<Invited>> {
        self.open(&format!("begin_offer('{}')", token.hash())).await
    }

    /// The same, and finds or makes the account of the invited address, which must not have a verified one.
    ///
    /// # Errors
    /// [`Error::NotFound`] then too.
    pub(crate) async fn begin_joining(&self, token: &Token, name: &Name) -> Result<Scope<Invited>> {
        self.open(&format!("begin_joining('{}', '{}', {})", token.hash(), AccountId::new(), text(name.as_str()))).await
    }

    /// The tenant of a mail, for the worker alone (a test sees to it).
    ///
    /// # Errors
    /// The database's only.
    pub async fn for_job(&self, org: Option<OrgId>, account: Option<AccountId>) -> Result<Scope<System>> {
        let id = |id: Option<String>| id.map_or_else(|| "null".to_owned(), |id| format!("'{id}'"));
        self.open(&format!("begin_job({}, {})", id(org.map(|o| o.to_string())), id(account.map(|a| a.to_string()))))
            .await
    }

    async fn open<W>(&self, opener: &str) -> Result<Scope<W>> {
        Ok(Scope::new(self, Transaction::open(&self.pool, opener).await?, None))
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
