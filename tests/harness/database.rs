//! A database of a test's own, copied from the migrated template or from another one.

use common::db;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use url::Url;
use uuid::Uuid;

use crate::services::{shared, template};

/// A migrated database of its own, without anybody who serves it.
#[derive(Clone, Debug)]
pub struct Database {
    /// Its name in the cluster.
    pub name: String,
    /// Its URL, as its superuser.
    pub url: Url,
}

impl Database {
    /// Fresh from the migrations.
    pub async fn new() -> Self {
        tokio::task::spawn_blocking(shared).await.unwrap();
        Self::copied_from(template()).await
    }

    /// Another one with the same rows. Nobody may be connected to this one: Postgres copies files.
    pub async fn copy(&self) -> Self {
        Self::copied_from(&self.name).await
    }

    async fn copied_from(template: &str) -> Self {
        let name = format!("t{}", Uuid::now_v7().simple());
        let mut connection = PgConnection::connect(shared().database_url.as_str()).await.unwrap();
        let statement = format!("create database {name} template {template}");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let mut url = shared().database_url.clone();
        url.set_path(&name);
        Self { name, url }
    }

    /// The URL of one of the application's two roles.
    #[must_use]
    pub fn url_as(&self, role: &str) -> Url {
        let password = if role == "taskbell_app" { &shared().app_password } else { &shared().worker_password };
        db::url_as(&self.url, role, password.as_deref())
    }

    /// A plain connection as its superuser, whom row security does not bind.
    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(self.url.as_str()).await.unwrap()
    }

    /// A plain connection as one of the application's two roles.
    pub async fn connect_as(&self, role: &str) -> PgConnection {
        PgConnection::connect(self.url_as(role).as_str()).await.unwrap()
    }
}
