//! What an operator may know of mail, and do about it: `taskbell admin`. Across organizations, so by functions of
//! `migrations/0066_operators.sql` that only the owner of the schema may call; what is done stands in the audit logs.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use url::Url;
use uuid::Uuid;

use crate::{
    db::{ConnectError, connect_as_owner},
    error::{Error, Result},
};

/// A connection as the owner of the schema.
#[derive(Debug)]
pub struct Operator {
    connection: PgConnection,
}

/// Which deliveries are looked for; empty: any.
#[derive(Clone, Debug, Default)]
pub struct Looked {
    /// In one of these states.
    pub states: Vec<String>,
    /// Of one of these kinds.
    pub kinds: Vec<String>,
    /// Of an organization, by slug or id.
    pub org: Option<String>,
    /// To an address.
    pub to: Option<String>,
    /// Due since, up to now and later.
    pub since: Option<Duration>,
    /// How many at most.
    pub limit: i32,
}

/// A line of the list.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// The delivery's.
    pub id: Uuid,
    /// What it is.
    pub kind: String,
    /// Of its mail, or `cancelled` if it alone was.
    pub state: String,
    /// Since when it is held back.
    pub held_at: Option<Timestamp>,
    /// The organization's slug.
    pub org: Option<String>,
    /// The recipient's address.
    pub to: Option<String>,
    /// When it should have come.
    pub due_at: Timestamp,
    /// When it is tried next, if it is.
    pub next_at: Timestamp,
    /// When the mail server took it.
    pub sent_at: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: i32,
    /// Why it is so.
    pub reason: Option<String>,
}

/// How many mails wait.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// In which state.
    pub state: String,
    /// Of which kind.
    pub kind: String,
    /// Whether an operator holds them back.
    pub held: bool,
    /// How many.
    pub mails: i64,
    /// How many of them should have been tried by now.
    pub due: i64,
    /// Since when the first of these.
    pub first_due: Option<Timestamp>,
}

/// All that happened to one mail. Not what it says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Story {
    /// The mail's id, which is in its Message-ID.
    pub mail: Uuid,
    /// What it is for.
    pub kind: String,
    /// Where it is.
    pub state: String,
    /// Why.
    pub reason: Option<String>,
    /// Since when it is held back.
    pub held_at: Option<Timestamp>,
    /// The organization's slug.
    pub org: Option<String>,
    /// When it should have gone out.
    pub due_at: Timestamp,
    /// When it is tried next, if it is.
    pub next_at: Timestamp,
    /// When it is too late for it.
    pub expires_at: Timestamp,
    /// When the mail server took it.
    pub sent_at: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: i32,
    /// The worker that had it last.
    pub worker: Option<String>,
    /// Until when that worker has it.
    pub lease_until: Option<Timestamp>,
    /// What is owed by it.
    pub deliveries: Vec<Owed>,
    /// Its steps.
    pub steps: Vec<Step>,
    /// Each try.
    pub tries: Vec<Try>,
}

/// A delivery of a mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Owed {
    /// Its id.
    pub id: Uuid,
    /// The recipient's address.
    pub to: Option<String>,
    /// The task it is about.
    pub task: Option<Uuid>,
    /// When it should come.
    pub due_at: Timestamp,
    /// Since when nobody is owed it.
    pub cancelled_at: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
}

/// A step of a mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// From which state.
    pub from: String,
    /// To which.
    pub to: String,
    /// Why.
    pub reason: Option<String>,
}

/// A try to send it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Try {
    /// From.
    pub started_at: Timestamp,
    /// To.
    pub ended_at: Timestamp,
    /// By whom.
    pub worker: String,
    /// How far it came.
    pub phase: String,
    /// What it led to.
    pub outcome: String,
    /// What the mail server said last.
    pub reply: Option<String>,
}

/// Deliveries that ended alike.
#[derive(Clone, Debug)]
pub struct Ended {
    /// What they are.
    pub kind: String,
    /// The state they are in.
    pub state: String,
    /// How late, if they were sent.
    pub late_ms: Option<i64>,
    /// How many.
    pub deliveries: i64,
}

/// Which mails are meant.
#[derive(Clone, Debug)]
pub enum Meant {
    /// One, by its id or that of a delivery.
    One(Uuid),
    /// Those of an organization, by slug or id.
    Org(String),
    /// All.
    All,
}

/// A mail to which something was done.
#[derive(Clone, Debug)]
pub struct Done {
    /// The mail.
    pub id: Uuid,
    /// The state that it was in.
    pub state: String,
    /// The mail that is sent now: itself, or the one that was made in place of it.
    pub becomes: Uuid,
}

impl Operator {
    /// By the URL with which the schema is migrated.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn connect(url: &Url) -> Result<Self, ConnectError> {
        Ok(Self { connection: connect_as_owner(url).await? })
    }

    /// Latest due first. Without states, what only waits for its time is left out.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(&mut self, looked: &Looked) -> Result<Vec<Found>> {
        let rows = sqlx::query!(
            r#"select id as "id!", kind as "kind!", state as "state!", held_at, org, recipient_email as "to", due_at as "due_at!",
                      next_at as "next_at!", sent_at, attempts as "attempts!", reason
               from admin_deliveries($1, $2, $3, $4, $5::float8 * interval '1 second', $6)"#,
            &looked.states,
            &looked.kinds,
            looked.org,
            looked.to,
            looked.since.map(|since| since.as_secs_f64()),
            looked.limit,
        )
        .fetch_all(&mut self.connection)
        .await?;
        let found = rows.into_iter().map(|row| Found {
            id: row.id,
            kind: row.kind,
            state: row.state,
            held_at: row.held_at.map(jiff_sqlx::Timestamp::to_jiff),
            org: row.org,
            to: row.to,
            due_at: row.due_at.to_jiff(),
            next_at: row.next_at.to_jiff(),
            sent_at: row.sent_at.map(jiff_sqlx::Timestamp::to_jiff),
            attempts: row.attempts,
            reason: row.reason,
        });
        Ok(found.collect())
    }

    /// What has not come to its end, in all.
    ///
    /// # Errors
    /// The database's.
    pub async fn waiting(&mut self) -> Result<Vec<Waiting>> {
        let rows = sqlx::query!(
            r#"select state as "state!", kind as "kind!", held as "held!", mails as "mails!", due as "due!", first_due
               from admin_waiting()"#
        )
        .fetch_all(&mut self.connection)
        .await?;
        let waiting = rows.into_iter().map(|row| Waiting {
            state: row.state,
            kind: row.kind,
            held: row.held,
            mails: row.mails,
            due: row.due,
            first_due: row.first_due.map(jiff_sqlx::Timestamp::to_jiff),
        });
        Ok(waiting.collect())
    }

    /// The story of a mail, by its id or that of a delivery.
    ///
    /// # Errors
    /// The database's.
    pub async fn show(&mut self, id: Uuid) -> Result<Option<Story>> {
        let story = sqlx::query_scalar!("select admin_delivery($1)", id).fetch_optional(&mut self.connection).await?;
        let read = |story| serde_json::from_value(story).map_err(|fault| Error::Internal(Box::new(fault)));
        story.flatten().map(read).transpose()
    }

    /// What was due within this time up to now, and how late it came.
    ///
    /// # Errors
    /// The database's.
    pub async fn lateness(&mut self, since: Duration) -> Result<Vec<Ended>> {
        Ok(sqlx::query_as!(
            Ended,
            r#"select kind as "kind!", state as "state!", late_ms, deliveries as "deliveries!"
               from admin_lateness($1 * interval '1 second')"#,
            since.as_secs_f64(),
        )
        .fetch_all(&mut self.connection)
        .await?)
    }

    /// Holds back what is not at its end and not held yet. A try that is under way is not stopped.
    ///
    /// # Errors
    /// The database's.
    pub async fn hold(&mut self, meant: &Meant) -> Result<Vec<Done>> {
        let (ids, org, _) = meant.parts();
        let held = sqlx::query_as!(
            Done,
            r#"select id as "id!", state as "state!", id as "becomes!" from admin_hold($1, $2)"#,
            &ids,
            org,
        );
        Ok(held.fetch_all(&mut self.connection).await?)
    }

    /// Lets go what is held back.
    ///
    /// # Errors
    /// The database's.
    pub async fn release(&mut self, meant: &Meant) -> Result<Vec<Done>> {
        let (ids, org, all) = meant.parts();
        let released = sqlx::query_as!(
            Done,
            r#"select id as "id!", state as "state!", id as "becomes!" from admin_release($1, $2, $3)"#,
            &ids,
            org,
            all,
        );
        Ok(released.fetch_all(&mut self.connection).await?)
    }

    /// Has one sent at once that is `retry`, `uncertain` or `dead`.
    ///
    /// # Errors
    /// The database's.
    pub async fn retry(&mut self, id: Uuid) -> Result<Option<Done>> {
        let done = sqlx::query_as!(
            Done,
            r#"select id as "id!", state as "state!", becomes as "becomes!" from admin_retry($1, null, null, null)"#,
            &[id],
        );
        Ok(done.fetch_optional(&mut self.connection).await?)
    }

    /// Has all sent at once that are in this state and were due within this time.
    ///
    /// # Errors
    /// The database's.
    pub async fn retry_all(&mut self, state: &str, org: Option<&str>, since: Duration) -> Result<Vec<Done>> {
        let done = sqlx::query_as!(
            Done,
            r#"select id as "id!", state as "state!", becomes as "becomes!"
               from admin_retry('{}', $1, $2, $3 * interval '1 second')"#,
            state,
            org,
            since.as_secs_f64(),
        );
        Ok(done.fetch_all(&mut self.connection).await?)
    }
}

impl Meant {
    fn parts(&self) -> (Vec<Uuid>, Option<&str>, bool) {
        match self {
            Self::One(id) => (vec![*id], None, false),
            Self::Org(org) => (Vec::new(), Some(org), false),
            Self::All => (Vec::new(), None, true),
        }
    }
}
