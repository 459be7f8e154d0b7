//! The attempts themselves: each in a savepoint, so that they leave nothing behind.

use sqlx::{AssertSqlSafe, PgConnection};

use super::tables::{Limits, Table};
use crate::world::World;

/// What was tried in one table by one role in one context.
#[derive(Debug, Default)]
pub(crate) struct Tried {
    /// What should not have been possible.
    pub(crate) violations: Vec<String>,
    /// How many rows were seen.
    pub(crate) seen: i64,
    /// How many statements were sent.
    pub(crate) attempts: usize,
}

/// Reads and writes as the role that the connection has, within a transaction.
pub(crate) async fn attempt(connection: &mut PgConnection, table: &Table, limits: &Limits, world: &World) -> Tried {
    let mut trial = Trial { connection, table, limits, tried: Tried::default() };
    trial.enter().await;
    trial.read().await;
    trial.insert().await;
    trial.update(world).await;
    trial.delete().await;
    trial.tried
}

struct Trial<'t> {
    connection: &'t mut PgConnection,
    table: &'t Table,
    limits: &'t Limits,
    tried: Tried,
}

/// How many rows a statement touched, or the SQLSTATE with which it was refused.
type Outcome = Result<u64, String>;

/// What a policy and a missing privilege say.
const REFUSED: &str = "42501";

impl Trial<'_> {
    async fn enter(&mut self) {
        sqlx::raw_sql(AssertSqlSafe(self.limits.context.set())).execute(&mut *self.connection).await.unwrap();
    }

    fn report(&mut self, what: &str) {
        let violation = format!("{} {} {what} {}", self.table.role, self.limits.context.name, self.table.name);
        self.tried.violations.push(violation);
    }

    async fn send(&mut self, statement: String) -> Outcome {
        self.tried.attempts += 1;
        sqlx::raw_sql("savepoint attempt").execute(&mut *self.connection).await.unwrap();
        let outcome = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *self.connection).await;
        sqlx::raw_sql("rollback to attempt").execute(&mut *self.connection).await.unwrap();
        match outcome {
            Ok(done) => Ok(done.rows_affected()),
            Err(fault) => Err(fault.into_database_error().unwrap().code().unwrap().into_owned()),
        }
    }

    /// What is seen is what may be seen.
    async fn read(&mut self) {
        let Table { name, columns, .. } = self.table;
        if !columns.iter().any(|column| column.select) {
            assert_eq!(self.send(format!("select count(*) from {name}")).await, Err(REFUSED.to_owned()), "{name}");
            return;
        }
        let statement = format!("select count(*), count(*) filter (where not {}) from {name}", self.limits.readable);
        let (seen, foreign): (i64, i64) =
            sqlx::query_as(AssertSqlSafe(statement)).fetch_one(&mut *self.connection).await.unwrap();
        self.tried.attempts += 1;
        self.tried.seen = seen;
        if foreign > 0 {
            self.report(&format!("reads {foreign} foreign rows of"));
        }
    }

    /// Rows of others are not added. Policies speak before keys do, so that a copy of what is there will do.
    async fn insert(&mut self) {
        let Table { name, columns, .. } = self.table;
        let columns: Vec<_> = columns.iter().filter(|c| c.insert).map(|c| format!("\"{}\"", c.name)).collect();
        if columns.is_empty() {
            return;
        }
        let columns = columns.join(", ");
        for row in &self.limits.foreign {
            let row = row.replace('\'', "''");
            let outcome = self
                .send(format!(
                    "insert into {name} ({columns}) select {columns} from jsonb_populate_record(null::{name}, '{row}')"
                ))
                .await;
            if outcome != Err(REFUSED.to_owned()) {
                self.report(&format!("may add foreign rows ({outcome:?}) to"));
                return;
            }
        }
    }

    /// Rows of others are not changed, taken or given. Without a `where`, so that no policy for reading stands in the way.
    async fn update(&mut self, world: &World) {
        let Table { name, columns, .. } = self.table;
        let writable = self.limits.writable.unsigned_abs();
        let mut told = true;
        for column in columns.iter().filter(|column| column.update) {
            let Some(value) = column.literal() else { continue };
            told = true;
            match self.send(format!("update {name} set \"{}\" = {value}", column.name)).await {
                Ok(touched) if touched > writable => {
                    self.report(&format!("changes {touched} rows, not {writable}, of"));
                }
                // A key, or a check over several columns: tells nothing, the next column may.
                Err(code) if code != REFUSED => {
                    told = false;
                    continue;
                }
                _ => {}
            }
            break;
        }
        if !told {
            self.report("cannot be seen to change or not to change");
        }
        let owner = self.table.owner_column();
        if !columns.iter().any(|column| column.update && column.name == owner) {
            return;
        }
        let (own, theirs) = self.table.owners(&self.limits.context, world);
        if let Some(own) = own {
            match self.send(format!("update {name} set {owner} = '{own}'")).await {
                Ok(touched) if touched <= writable => {}
                Err(code) if code == REFUSED => {}
                outcome => self.report(&format!("takes foreign rows ({outcome:?}) of")),
            }
        }
        match self.send(format!("update {name} set {owner} = '{theirs}'")).await {
            Ok(0) => {}
            Err(code) if code == REFUSED => {}
            outcome => self.report(&format!("gives rows away ({outcome:?}) of")),
        }
    }

    async fn delete(&mut self) {
        let writable = self.limits.writable.unsigned_abs();
        match self.send(format!("delete from {}", self.table.name)).await {
            Ok(touched) if touched > writable => self.report(&format!("deletes {touched} rows, not {writable}, of")),
            _ => {}
        }
    }
}
