//! What is written down while things break: promises, mails, and what the product says of them. The checker needs no more.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

use super::{World, smtp::Mail, world::Clock};

/// A task with a reminder, as its client knows it.
#[derive(Clone, Debug, Serialize)]
pub struct Promise {
    /// A word that stands in the title and nowhere else.
    pub marker: String,
    /// A word that stands in the name of the organization.
    pub org: String,
    /// A word that stands in the name of the recipient.
    pub person: String,
    /// The recipient's address.
    pub email: String,
    /// Each time at which the reminder was to go out.
    pub occurrences: Vec<Occurrence>,
}

/// One time at which a reminder was to go out.
#[derive(Clone, Debug, Serialize)]
pub struct Occurrence {
    /// What the answer called it; none, when no answer ever came.
    pub delivery: Option<Uuid>,
    /// When it was to go out.
    pub due_at: Timestamp,
    /// When the client learned that it will.
    pub acknowledged: Option<Timestamp>,
    /// When it was taken back, if it was.
    pub withdrawn: Option<Withdrawn>,
}

/// A completion, a deletion, another due value.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Withdrawn {
    /// When it was first asked for.
    pub asked_at: Timestamp,
    /// When the client learned that it is done.
    pub acknowledged: Option<Timestamp>,
}

/// A delivery, as the product tells of it.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its id.
    pub id: Uuid,
    /// The mail that carries it.
    pub mail: Uuid,
    /// The state of that mail.
    pub state: String,
    /// Whether it alone was cancelled.
    pub cancelled: bool,
    /// When it was to go out.
    pub due_at: Timestamp,
    /// The title of its task.
    pub title: String,
    /// The address of whom it is for.
    pub email: String,
}

/// A step of a mail, as the product tells of it.
#[derive(Clone, Debug)]
pub struct Step {
    /// When, by Postgres' clock.
    pub at: Timestamp,
    /// To which state.
    pub to: String,
    /// Why.
    pub reason: Option<String>,
}

/// All of it.
#[derive(Clone, Debug)]
pub struct Journals {
    /// The client's.
    pub promises: Vec<Promise>,
    /// The mail server's, in order.
    pub mails: Vec<Mail>,
    /// The product's.
    pub deliveries: Vec<Delivery>,
    /// The product's, by mail, in order.
    pub steps: HashMap<Uuid, Vec<Step>>,
    /// How Postgres' clock stands to that of the other two.
    pub clock: Clock,
}

impl Journals {
    /// Reads what the product says, now that all is quiet.
    ///
    /// # Panics
    /// When Postgres fails.
    pub async fn of(world: &World, promises: Vec<Promise>) -> Self {
        Self::since(world, promises, Timestamp::UNIX_EPOCH).await
    }

    /// The same of what was due after a moment.
    ///
    /// # Panics
    /// When Postgres fails.
    pub async fn since(world: &World, promises: Vec<Promise>, moment: Timestamp) -> Self {
        Self {
            promises,
            mails: world.smtp.journal().iter().map(|mail| (**mail).clone()).collect(),
            deliveries: deliveries(&world.admin, moment).await,
            steps: steps(&world.admin, moment).await,
            clock: world.clock().await,
        }
    }
}

async fn deliveries(admin: &PgPool, since: Timestamp) -> Vec<Delivery> {
    type Row = (Uuid, Uuid, String, bool, jiff_sqlx::Timestamp, String, String);
    let rows: Vec<Row> = sqlx::query_as(
        "select d.id, d.mail_id, m.state, d.cancelled_at is not null, d.due_at, coalesce(t.title, ''), coalesce(a.email, '')
         from deliveries d join mails m on m.id = d.mail_id
              left join tasks t on t.org_id = d.org_id and t.id = d.task_id
              left join accounts a on a.id = d.account_id
         where d.due_at >= $1",
    )
    .bind(jiff_sqlx::Timestamp::from(since))
    .fetch_all(admin)
    .await
    .unwrap();
    let delivery = |(id, mail, state, cancelled, due_at, title, email): Row| Delivery {
        id,
        mail,
        state,
        cancelled,
        due_at: due_at.to_jiff(),
        title,
        email,
    };
    rows.into_iter().map(delivery).collect()
}

async fn steps(admin: &PgPool, since: Timestamp) -> HashMap<Uuid, Vec<Step>> {
    type Row = (Uuid, jiff_sqlx::Timestamp, String, Option<String>);
    let of_them = "select mail_id, at, to_state, reason from mail_steps where at >= $1 order by mail_id, step";
    let rows: Vec<Row> =
        sqlx::query_as(of_them).bind(jiff_sqlx::Timestamp::from(since)).fetch_all(admin).await.unwrap();
    let mut steps: HashMap<Uuid, Vec<Step>> = HashMap::new();
    for (mail, at, to, reason) in rows {
        steps.entry(mail).or_default().push(Step { at: at.to_jiff(), to, reason });
    }
    steps
}
