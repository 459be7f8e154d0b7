//! What has changed since: for clients that keep a copy (docs/adr/0016).
//!
//! Every change of a task stamps it with its transaction. Transactions end in another order than they begin, so what is told ends
//! before the oldest one that is still open: whatever it will have changed comes later in the order than all that was told.

use std::collections::HashMap;

use deserr::Deserr;
use serde::Serialize;
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Task, TaskRow,
    list::{keys, position},
    task::columns,
};
use crate::{
    access::{Core, Implies, Permission, ReadTasks, Scope},
    error::{Error, Result},
    ids::TaskId,
    input::Faults,
    page::{Cursor, Limit, Page},
};

/// From when on.
#[derive(Debug, Default, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct ChangesSince {
    /// What the last answer gave; without it everything is told.
    #[deserr(default)]
    pub since: Option<Cursor>,
    /// Items a page.
    #[deserr(default)]
    pub limit: Limit,
}

/// A task that has changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaskChange {
    /// Its id.
    pub id: TaskId,
    /// It is not there any more: deleted, or moved to where the caller sees nothing.
    pub gone: bool,
    /// As it is now.
    pub task: Option<Task>,
}

/// How long a copy may rest: as long as it is remembered what is gone.
const OLDEST: i64 = 30 * 24 * 60 * 60;
const LIST: &str = "changes";

/// What the order of changes hangs on at this moment.
#[derive(Debug)]
struct Present {
    /// The oldest transaction that is still open.
    horizon: i64,
    /// Seconds, by the database's clock.
    now: i64,
    /// Which projects are seen, under which keys.
    seen: String,
    /// Whose transactions these are: another cluster counts them anew, and so does a restored one.
    cluster: String,
}

/// How far somebody has been told.
#[derive(Clone, Debug)]
struct Told {
    transaction: i64,
    task: Uuid,
    /// The horizon when they began: what was gone by then they never had.
    begun: i64,
}

#[derive(Debug, FromRow)]
struct Changed {
    transaction: i64,
    id: Uuid,
    gone: bool,
}

/// What has changed in the projects that the caller sees, oldest change first; the last state of each task, once or more often.
/// The page's cursor is the next `since`, on the last page too.
///
/// # Errors
/// [`Error::BadCursor`]; [`Error::SyncAgain`] when the changes since then cannot be told.
pub async fn changes(scope: &mut Scope<impl Implies<ReadTasks>>, asked: ChangesSince) -> Result<Page<TaskChange>> {
    let core = scope.core();
    let present = present(core).await?;
    let told = match &asked.since {
        Some(cursor) => present.told(&keys(cursor.position(core, LIST)?)?)?,
        None => Told { transaction: 0, task: Uuid::nil(), begun: present.horizon },
    };
    let changed = changed(core, &told, &present, asked.limit.and_one()).await?;
    let seal = |core: &Core, transaction, task| {
        Cursor::seal(core, LIST, &position(&present.keys(&Told { transaction, task, begun: told.begun })))
    };
    let mut page = Page::cut(changed, asked.limit, |last| seal(core, last.transaction, last.id));
    if page.page.next_cursor.is_none() {
        page.page.next_cursor = Some(seal(core, present.horizon, Uuid::nil()));
    }
    // Read after the order was: what has changed since is told again.
    let there = page.data.iter().filter(|change| !change.gone).map(|change| change.id).collect();
    let mut tasks = tasks(core, there).await?;
    Ok(page.map(|change| {
        let task = tasks.remove(&change.id);
        TaskChange { id: TaskId(change.id), gone: task.is_none(), task }
    }))
}

impl Present {
    fn keys(&self, told: &Told) -> [String; 6] {
        let Told { transaction, task, begun } = told;
        let numbers = [transaction.to_string(), task.to_string(), begun.to_string(), self.now.to_string()];
        let [transaction, task, begun, now] = numbers;
        [transaction, task, begun, now, self.seen.clone(), self.cluster.clone()]
    }

    fn told(&self, keys: &[String]) -> Result<Told> {
        let [transaction, task, begun, at, seen, cluster] = keys else { return Err(Error::SyncAgain) };
        let number = |text: &String| text.parse::<i64>().map_err(|_| Error::SyncAgain);
        let told = Told {
            transaction: number(transaction)?,
            task: task.parse().map_err(|_| Error::SyncAgain)?,
            begun: number(begun)?,
        };
        let rested = self.now - number(at)?;
        let same = *seen == self.seen && *cluster == self.cluster && told.transaction <= self.horizon;
        if same && rested <= OLDEST { Ok(told) } else { Err(Error::SyncAgain) }
    }
}

async fn present(core: &mut Core) -> Result<Present> {
    let present = sqlx::query_as!(
        Present,
        r#"select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as "horizon!", extract(epoch from now())::bigint as "now!",
                  (select md5(coalesce(string_agg(p.id || p.key, ',' order by p.id), '')) from projects p
                   where permissions_in(p.id, p.visibility) & $1 <> 0) as "seen!",
                  (select s.system_identifier || '/' || c.timeline_id || '/' || current_database()
                   from pg_control_system() s, pg_control_checkpoint() c) as "cluster!""#,
        ReadTasks::BITS,
    )
    .fetch_one(core.sql())
    .await?;
    Ok(present)
}

/// Two walks, along `tasks_changed_idx` and `task_tombstones_changed_idx`. Of a task that was moved from one project that is seen
/// to another, its old place tells nothing.
async fn changed(core: &mut Core, told: &Told, present: &Present, most: i64) -> Result<Vec<Changed>> {
    let changed = sqlx::query_as!(
        Changed,
        r#"with visible as materialized (
               select id from projects where permissions_in(id, visibility) & $1 <> 0
           ), put as (
               select t.changed_xid, t.id, t.deleted_at is not null as gone from tasks t
               where (t.changed_xid, t.id) > ($2, $3) and t.changed_xid < $5 and (t.deleted_at is null or t.changed_xid >= $4)
                 and (t.project_id in (select id from visible)) is true
               order by t.changed_xid, t.id limit $6
           ), gone as (
               select k.changed_xid, k.task_id, true from task_tombstones k
               where (k.changed_xid, k.task_id) > ($2, $3) and k.changed_xid < $5 and k.changed_xid >= $4
                 and (k.project_id in (select id from visible)) is true
                 and (exists (select from tasks t where t.id = k.task_id and (t.project_id in (select id from visible)) is true)) is not true
               order by k.changed_xid, k.task_id limit $6
           )
           select changed_xid as "transaction!", id as "id!", gone as "gone!"
           from (select * from put union all select * from gone) c order by 1, 2 limit $6"#,
        ReadTasks::BITS,
        told.transaction,
        told.task,
        told.begun,
        present.horizon,
        most,
    )
    .fetch_all(core.sql())
    .await?;
    Ok(changed)
}

const THESE: &str = concat!(
    "select ",
    columns!(),
    ", p.key as project_key, p.held
     from tasks t join (select id, key, permissions_in(id, visibility) as held from projects) p on p.id = t.project_id
     where t.id = any($1) and t.deleted_at is null and p.held & $2 <> 0"
);

async fn tasks(core: &mut Core, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Task>> {
    let rows: Vec<TaskRow> = sqlx::query_as(THESE).bind(ids).bind(ReadTasks::BITS).fetch_all(core.sql()).await?;
    Ok(rows.into_iter().map(Task::from).map(|task| (task.id.0, task)).collect())
}
