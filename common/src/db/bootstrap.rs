//! Bringing a database to the current schema: first the roles, which are the cluster's, then the migrations.

use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use url::Url;

use super::MIGRATOR;

/// The passwords of the two roles that log in; a role without one keeps what it has.
#[derive(Clone, Debug, Default)]
pub struct RolePasswords {
    /// Of `taskbell_app`.
    pub app: Option<SecretString>,
    /// Of `taskbell_worker`.
    pub worker: Option<SecretString>,
}

/// Roles are shared by all databases of a cluster: several migrations may run at once, so this is done under a lock, and
/// what exists is left alone.
const ROLES: &str = "
    do $$
    declare r text;
    begin
        perform pg_advisory_xact_lock(7311204415112);
        foreach r in array array['taskbell_owner', 'taskbell_auth'] loop
            if not exists (select from pg_roles where rolname = r) then
                execute format('create role %I nologin', r);
            end if;
        end loop;
        foreach r in array array['taskbell_app', 'taskbell_worker'] loop
            if not exists (select from pg_roles where rolname = r) then
                execute format('create role %I login', r);
            end if;
            -- A refused request must not put the statement, with the hash of its token, into the server's log.
            if (select rolsuper from pg_roles where rolname = current_user) then
                execute format('alter role %I set log_min_error_statement = panic', r);
            end if;
        end loop;
        -- The migrating role acts as taskbell_owner, which hands the openers over to taskbell_auth.
        if not pg_has_role('taskbell_owner', 'taskbell_auth', 'member') then
            grant taskbell_auth to taskbell_owner;
        end if;
        foreach r in array array['taskbell_owner', 'taskbell_app', 'taskbell_worker'] loop
            if not pg_has_role(current_user, r, 'member') then
                execute format('grant %I to current_user', r);
            end if;
        end loop;
    end $$";

/// Several that migrate one database at once must not change the same row of the catalog at the same time.
const SCHEMA: &str = "select pg_advisory_xact_lock(7311204415112); grant usage, create on schema public to taskbell_owner, taskbell_auth;
    grant usage on schema public to taskbell_app, taskbell_worker";

/// Why a database could not be brought to the current schema.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Nobody answers, or the role is refused.
    #[error("Postgres cannot be used for migrating: {0}")]
    Database(#[from] sqlx::Error),
    /// A migration failed, or was changed after it ran.
    #[error("a migration failed: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

/// Creates what is missing of roles and schema, as the role of `url`, which must be allowed to create roles.
///
/// # Errors
/// What Postgres refused.
pub async fn migrate(url: &Url, passwords: &RolePasswords) -> Result<(), MigrateError> {
    // Not a word of this goes into our own log: the statements hold passwords.
    let options = PgConnectOptions::from_url(url)?.disable_statement_logging();
    roles(&options.clone().database("postgres"), passwords).await?;
    let mut connection = PgConnection::connect_with(&options).await?;
    sqlx::raw_sql(SCHEMA).execute(&mut connection).await?;
    sqlx::raw_sql("set role taskbell_owner").execute(&mut connection).await?;
    MIGRATOR.run(&mut connection).await?;
    // The processes look whether the schema is theirs.
    sqlx::raw_sql("grant select on _sqlx_migrations to taskbell_app, taskbell_worker").execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// Makes what is missing of the roles and sets their passwords, under a lock. Advisory locks are a database's own and roles are
/// the cluster's, so whoever migrates whichever database does this in the one that every cluster has.
async fn roles(cluster: &PgConnectOptions, passwords: &RolePasswords) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(cluster).await?;
    let mut transaction = connection.begin().await?;
    sqlx::raw_sql(ROLES).execute(&mut *transaction).await?;
    let superuser: bool = sqlx::query_scalar("select rolsuper from pg_roles where rolname = current_user")
        .fetch_one(&mut *transaction)
        .await?;
    if superuser {
        // Others may not, and a refusal would itself be logged.
        sqlx::raw_sql("set local log_statement = none; set local log_min_duration_statement = -1")
            .execute(&mut *transaction)
            .await?;
    }
    for (role, password) in [("taskbell_app", &passwords.app), ("taskbell_worker", &passwords.worker)] {
        if let Some(password) = password {
            let quoted = password.expose_secret().replace('\'', "''");
            let statement = format!("alter role {role} password '{quoted}'");
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
        }
    }
    transaction.commit().await
}

/// Makes the database `name` beside the one of `url` if it is missing; gives its URL.
///
/// # Errors
/// What Postgres refused.
pub async fn create_database(url: &Url, name: &str) -> Result<Url, sqlx::Error> {
    let mut connection = PgConnection::connect(url.as_str()).await?;
    let known: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(name)
        .fetch_one(&mut connection)
        .await?;
    if !known {
        let quoted = name.replace('"', "\"\"");
        sqlx::raw_sql(AssertSqlSafe(format!("create database \"{quoted}\""))).execute(&mut connection).await?;
    }
    connection.close().await?;
    let mut url = url.clone();
    url.set_path(name);
    Ok(url)
}

/// The URL of a role: by its own password, or as the role of `url` that becomes it. The second is for databases that
/// somebody else runs, whose roles' passwords are not ours to set.
#[must_use]
pub fn url_as(url: &Url, role: &str, password: Option<&str>) -> Url {
    let mut url = url.clone();
    match password {
        Some(password) => {
            // Neither fails on a URL that has a host.
            let _ = url.set_username(role);
            let _ = url.set_password(Some(password));
        }
        None => {
            url.query_pairs_mut().append_pair("options[role]", role);
        }
    }
    url
}
