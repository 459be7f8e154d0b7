//! Guessing and flooding get slower with each try: by person, by address and in all. Counted in Postgres, before anything
//! costly is done; nobody is ever locked out.

mod rule;

use std::time::Duration;

pub use rule::AddressBlock;
use rule::Limit;
use sqlx::PgConnection;
use tracing::info;

use crate::{
    access::{Core, Written},
    audit::{self, Action, Event, Origin},
    db::Db,
    error::{Error, Result},
    ids::AccountId,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

const fn limit(free: u32, memory: Duration, first: Duration, most: Duration) -> Limit {
    Limit { free, first, most, memory }
}

/// In all: so many a minute. Beyond, ten a second still come through, or whoever floods one address would shut out all.
const EVERYBODY: Limit = limit(1_000, MINUTE, Duration::from_millis(50), Duration::from_millis(100));

/// What is being tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// A password, and the code that goes with it.
    Password,
    /// Mail to an address, for the asking: sign-up, resend, reset.
    Mail,
    /// An invitation to an address, by a member.
    Invitation,
}

impl Door {
    const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Mail => "mail",
            Self::Invitation => "invitation",
        }
    }

    /// By whom it is about, by where it comes from, in all.
    const fn limits(self) -> [Limit; 3] {
        match self {
            Self::Password => [
                limit(5, HOUR, SECOND, Duration::from_mins(15)),
                limit(50, HOUR, SECOND, Duration::from_mins(15)),
                EVERYBODY,
            ],
            Self::Mail => [limit(5, DAY, MINUTE, HOUR), limit(500, HOUR, Duration::from_secs(10), HOUR), EVERYBODY],
            Self::Invitation => {
                [limit(20, DAY, MINUTE, HOUR), limit(500, HOUR, Duration::from_secs(10), HOUR), EVERYBODY]
            }
        }
    }
}

/// A try that was let through.
#[derive(Debug)]
#[must_use = "a try that was no guess is forgiven"]
pub struct Try {
    person: Vec<u8>,
    place: Vec<u8>,
}

/// Counts a try by or about `person`: an e-mail.
///
/// # Errors
/// [`Error::Throttled`], the same whether the person exists or not.
pub async fn enter(db: &Db, door: Door, person: &str, origin: &Origin) -> Result<Try> {
    let mut connection = db.pool.acquire().await?;
    count(&mut connection, db, door, person, origin).await
}

/// The same inside of an open scope: one connection a request, always. What is rolled back was not counted.
///
/// # Errors
/// [`Error::Throttled`].
pub(crate) async fn enter_within(core: &mut Core, door: Door, person: &str) -> Result<()> {
    let (db, origin) = (core.db.clone(), core.origin.clone());
    count(core.sql(), &db, door, person, &origin).await.map(drop)
}

async fn count(connection: &mut PgConnection, db: &Db, door: Door, person: &str, origin: &Origin) -> Result<Try> {
    let address =
        origin.address.map_or_else(|| "nowhere".to_owned(), |address| AddressBlock::from(address).to_string());
    let key = |what: &str, of: &str| db.key().blind(&format!("throttle {} {what}", door.name()), of).to_vec();
    let keys = [key("person", person), key("address", &address), key("all", "")];
    let limits = door.limits();
    let seconds = |of: fn(&Limit) -> Duration| limits.iter().map(|l| of(l).as_secs_f64()).collect::<Vec<_>>();
    let wait = sqlx::query_scalar!(
        r#"select throttle($1, $2, $3, $4, $5) as "wait!""#,
        &keys,
        &limits.iter().map(|l| i32::try_from(l.free).unwrap_or(i32::MAX)).collect::<Vec<_>>(),
        &seconds(|l| l.first),
        &seconds(|l| l.most),
        &seconds(|l| l.memory),
    )
    .fetch_one(connection)
    .await?;
    let [person, place, _] = keys;
    if wait > 0.0 {
        info!(door = door.name(), request_id = origin.request_id, "throttled");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an hour at most, and positive")]
        return Err(Error::Throttled(wait.ceil() as u64));
    }
    Ok(Try { person, place })
}

impl Try {
    /// It was no guess: the person's count starts anew and the address has one less.
    ///
    /// # Errors
    /// The database's.
    pub async fn forgive(self, db: &Db) -> Result<()> {
        sqlx::query!("select forgive($1, $2)", self.person, self.place).execute(&db.pool).await?;
        Ok(())
    }
}

/// Tells the owner of an account that somebody is slowed down at it; once a minute.
pub(crate) async fn tell_once(db: &Db, account: AccountId, origin: &Origin) -> Result<()> {
    let mut scope = db.begin_refusal(account, origin).await?;
    audit::record_once_a_minute(scope.core(), Event::new(Action::Throttled).about(account)).await?;
    scope.commit(Written(())).await.map(drop)
}

/// Tells the owner of an account of what somebody else has tried.
pub(crate) async fn tell(db: &Db, account: AccountId, action: Action, origin: &Origin) -> Result<()> {
    let mut scope = db.begin_refusal(account, origin).await?;
    audit::record(scope.core(), Event::new(action).about(account)).await?;
    scope.commit(Written(())).await.map(drop)
}
