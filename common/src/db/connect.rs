//! Connecting, with one clear sentence for each way in which it fails.

use std::time::Duration;

use sqlx::{
    ConnectOptions, Connection, PgConnection, PgExecutor, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use url::Url;

/// Why there is no pool.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL cannot be read.
    #[error("TASKBELL_DATABASE_URL is not a Postgres URL (postgres://user@host/database): {0}")]
    NotAUrl(String),
    /// Nobody answers there.
    #[error("Postgres does not answer at {place}: {why}")]
    Unreachable {
        /// Host and port.
        place: String,
        /// What the system said.
        why: String,
    },
    /// Postgres answers and refuses.
    #[error("Postgres at {place} refuses `{user}`: {why}")]
    Refused {
        /// Host and port.
        place: String,
        /// The role.
        user: String,
        /// What Postgres said.
        why: String,
    },
    /// The role would not be bound by row security.
    #[error(
        "the role `{0}` is not bound by row security (superuser, BYPASSRLS or owner of tables); use taskbell_app or taskbell_worker"
    )]
    TooPowerful(String),
    /// The role may not act as the owner of the schema.
    #[error("the role `{0}` may not act as taskbell_owner; use the TASKBELL_DATABASE_URL of `taskbell migrate`")]
    NotTheOwner(String),
    /// Asked for a connection where only scopes are to be had.
    #[error("connections are not given away")]
    Closed,
    /// The migrations of this binary and those of the database differ.
    #[error("the database's schema is not the one of this binary: {0}; run `taskbell migrate`")]
    OtherSchema(String),
}

/// A pool on a database that answers. `connections` is the most it will open.
///
/// # Errors
/// See [`ConnectError`].
pub async fn connect(url: &Url, connections: u32) -> Result<PgPool, ConnectError> {
    let options = options(url)?;
    // One connection by itself first: a pool would go on trying, and in the end only say that it has waited.
    drop(ask(&options).await?);
    Ok(PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        // A dead connection shows at its first use; asking each time costs a trip a request (ratio 0.85 on a single read).
        .test_before_acquire(false)
        .connect_lazy_with(options))
}

async fn ask(options: &PgConnectOptions) -> Result<PgConnection, ConnectError> {
    let place = format!("{}:{}", options.get_host(), options.get_port());
    let user = options.get_username().to_owned();
    PgConnection::connect_with(options).await.map_err(|error| match error {
        sqlx::Error::Database(refusal) => ConnectError::Refused { place, user, why: refusal.message().to_owned() },
        other => ConnectError::Unreachable { place, why: other.to_string() },
    })
}

/// One connection that acts as the owner of the schema, who alone may call what `taskbell admin` does.
pub(crate) async fn connect_as_owner(url: &Url) -> Result<PgConnection, ConnectError> {
    let options = options(url)?;
    let mut connection = ask(&options).await?;
    let acts = sqlx::raw_sql("set role taskbell_owner").execute(&mut connection).await;
    acts.map_err(|_| ConnectError::NotTheOwner(options.get_username().to_owned()))?;
    refuse_other_schema(&mut connection).await?;
    Ok(connection)
}

fn options(url: &Url) -> Result<PgConnectOptions, ConnectError> {
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(ConnectError::NotAUrl(format!("it begins with {}://", url.scheme())));
    }
    let options = PgConnectOptions::from_url(url).map_err(|fault| ConnectError::NotAUrl(fault.to_string()))?;
    Ok(options.application_name("taskbell").options([
        // Row security makes each plan depend on the context, not on the values: the generic one is right.
        ("plan_cache_mode", "force_generic_plan"),
        // The net under everything that could forget an open transaction.
        ("idle_in_transaction_session_timeout", "30s"),
    ]))
}

/// The API and the worker refuse to run as a role that row security does not bind.
///
/// # Errors
/// [`ConnectError::TooPowerful`], or the database's failure.
pub async fn refuse_powerful_role(pool: &PgPool) -> Result<(), ConnectError> {
    let role = sqlx::query!(
        r#"select r.rolname::text as "name!",
                  (r.rolsuper or r.rolbypassrls
                   -- Policies and ownership count for members of a role, too.
                   or exists (select from pg_roles o where o.rolname in ('taskbell_owner', 'taskbell_auth')
                              and pg_has_role(r.oid, o.oid, 'member'))
                   or exists (select from pg_class c where c.relkind in ('r', 'p')
                              and c.relnamespace = 'public'::regnamespace and pg_has_role(r.oid, c.relowner, 'member'))
                  ) as "powerful!"
           from pg_roles r where r.rolname = current_user"#
    )
    .fetch_one(pool)
    .await
    .map_err(|error| ConnectError::Unreachable { place: "the pool".into(), why: error.to_string() })?;
    if role.powerful { Err(ConnectError::TooPowerful(role.name)) } else { Ok(()) }
}

/// The API and the worker refuse to run on a schema that lacks a migration of theirs. One that is ahead is fine: migrations
/// expand before they contract (migrations/README.md).
///
/// # Errors
/// [`ConnectError::OtherSchema`].
pub async fn refuse_other_schema(asked: impl PgExecutor<'_>) -> Result<(), ConnectError> {
    // Not a checked query: this table belongs to sqlx, and on an empty database it is not there.
    let newest: Option<i64> = sqlx::query_scalar("select max(version) from _sqlx_migrations where success")
        .fetch_one(asked)
        .await
        .map_err(|_| ConnectError::OtherSchema("it has no migrations".to_owned()))?;
    let wanted = super::MIGRATOR.iter().map(|migration| migration.version).max();
    if newest >= wanted {
        Ok(())
    } else {
        Err(ConnectError::OtherSchema(format!("migration {} of {}", newest.unwrap_or(0), wanted.unwrap_or(0))))
    }
}
