//! Two furnished tenants, `a` and `b`: the same things in each, under names, with canaries in every text (`furnish/*.sql`).

use std::collections::BTreeMap;

use harness::Database;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

const SCRIPT: &[&str] = &[
    include_str!("furnish/things.sql"),
    include_str!("furnish/rest.sql"),
    include_str!("furnish/pristine.sql"),
    include_str!("furnish/tenant.sql"),
];

/// A furnished database, and what its things are called.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) database: Database,
    things: BTreeMap<(String, String, String), String>,
}

impl World {
    /// A new one. Nobody is connected to it: it can be copied.
    pub(crate) async fn furnish() -> Self {
        Self::furnish_after("").await
    }

    /// A new one whose schema has been changed first.
    pub(crate) async fn furnish_after(change: &str) -> Self {
        let database = Database::new().await;
        let mut connection = database.connect().await;
        run(&mut connection, change).await;
        run(&mut connection, &SCRIPT.concat()).await;
        let things: Vec<(String, String, String, String)> =
            sqlx::query_as("select tenant, kind, variant, value from furnish.things")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        connection.close().await.unwrap();
        let things = things.into_iter().map(|(tenant, kind, variant, value)| ((tenant, kind, variant), value));
        Self { database, things: things.collect() }
    }

    /// What a thing is called in requests: mostly its id.
    ///
    /// # Panics
    /// When nobody has furnished it.
    pub(crate) fn get(&self, tenant: &str, kind: &str, variant: &str) -> &str {
        let found = self.find(tenant, kind, variant);
        found.unwrap_or_else(|| panic!("tests/isolation/furnish has no {tenant}.{kind}.{variant}"))
    }

    /// The same, where it may not be there.
    pub(crate) fn find(&self, tenant: &str, kind: &str, variant: &str) -> Option<&str> {
        self.things.get(&(tenant.to_owned(), kind.to_owned(), variant.to_owned())).map(String::as_str)
    }

    /// All things: tenant, kind, variant, value.
    pub(crate) fn things(&self) -> impl Iterator<Item = (&str, &str, &str, &str)> {
        self.things.iter().map(|((tenant, kind, variant), value)| (&**tenant, &**kind, &**variant, &**value))
    }
}

/// Runs a script as it is.
pub(crate) async fn run(connection: &mut PgConnection, script: &str) {
    sqlx::raw_sql(AssertSqlSafe(script)).execute(connection).await.unwrap();
}
