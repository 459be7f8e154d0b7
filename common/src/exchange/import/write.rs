//! Writing a thousand rows with a statement.

use jiff_sqlx::{Date, DateTime, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    access::Core,
    error::Result,
    ids::{AccountId, ProjectId, TaskId},
    time::DueColumns,
};

/// A task as it will stand in its table, and what hangs on it.
#[derive(Debug)]
pub(super) struct TaskRow {
    pub(super) id: TaskId,
    pub(super) project: ProjectId,
    pub(super) number: i32,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) status: &'static str,
    pub(super) priority: i16,
    pub(super) start: DueColumns,
    pub(super) due: DueColumns,
    pub(super) turns: Option<(String, &'static str, DateTime, i32)>,
    pub(super) parent: Option<TaskId>,
    pub(super) position: String,
    pub(super) labels: Vec<Uuid>,
    pub(super) assignees: Vec<AccountId>,
    pub(super) watches: Vec<(AccountId, &'static str)>,
    pub(super) created_by: AccountId,
    pub(super) created_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
    pub(super) completed: Option<(AccountId, Option<Timestamp>)>,
}

#[derive(Debug)]
pub(super) struct LabelRow {
    pub(super) id: Uuid,
    pub(super) project: ProjectId,
    pub(super) name: String,
    pub(super) colour: Option<String>,
}

#[derive(Debug)]
pub(super) struct CommentRow {
    pub(super) task: TaskId,
    pub(super) author: AccountId,
    pub(super) body: String,
    pub(super) mentions: Vec<AccountId>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) edited_at: Option<Timestamp>,
}

/// One of a task's two moments.
type Columns = fn(&TaskRow) -> &DueColumns;

fn each<R, T>(rows: &[R], column: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(column).collect()
}

/// Every row is looked up by the checks of its foreign keys, with plans that a connection keeps. Made while the tables were small
/// they read them whole, and an import would take the square of its rows: so none is kept, and none of that kind is made.
pub(super) async fn by_index(core: &mut Core) -> Result<()> {
    sqlx::raw_sql("set local enable_seqscan = off; discard plans").execute(core.sql()).await?;
    Ok(())
}

/// Tasks, with their labels, people and the first entry of their histories, which says where they came from.
pub(super) async fn tasks(core: &mut Core, rows: &[TaskRow], origin: &str) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let on = |due: Columns| each(rows, move |row| due(row).on) as Vec<Option<Date>>;
    let local = |due: Columns| each(rows, move |row| due(row).local);
    let zone = |due: Columns| each(rows, move |row| due(row).zone.clone());
    let at = |due: Columns| each(rows, move |row| due(row).at);
    let (start, due): (Columns, Columns) = (|row| &row.start, |row| &row.due);
    sqlx::query!(
        r#"insert into tasks (org_id, id, project_id, number, title, description, status, priority,
                              start_on, start_local, start_zone, start_at, due_on, due_local, due_zone, due_at,
                              recurrence, recurrence_basis, recurrence_start, occurrence, parent_id, position,
                              created_by, created_at, updated_at, completed_by, completed_at)
           select current_org(), t.id, t.project_id, t.number, t.title, t.description, t.status, t.priority,
                  t.start_on, t.start_local, t.start_zone, t.start_at, t.due_on, t.due_local, t.due_zone, t.due_at,
                  t.rule, t.basis, t.first, t.occurrence, t.parent_id, t.position::numeric,
                  t.created_by, coalesce(t.created_at, now()), coalesce(t.updated_at, now()), t.completed_by,
                  case when t.completed_by is not null then coalesce(t.completed_at, now()) end
           from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::smallint[],
                       $8::date[], $9::timestamp[], $10::text[], $11::timestamptz[],
                       $12::date[], $13::timestamp[], $14::text[], $15::timestamptz[],
                       $16::text[], $17::text[], $18::timestamp[], $19::integer[], $20::uuid[], $21::text[],
                       $22::uuid[], $23::timestamptz[], $24::timestamptz[], $25::uuid[], $26::timestamptz[])
                as t (id, project_id, number, title, description, status, priority,
                      start_on, start_local, start_zone, start_at, due_on, due_local, due_zone, due_at,
                      rule, basis, first, occurrence, parent_id, position,
                      created_by, created_at, updated_at, completed_by, completed_at)"#,
        &each(rows, |row| row.id.0),
        &each(rows, |row| row.project.0),
        &each(rows, |row| row.number),
        &each(rows, |row| row.title.clone()),
        &each(rows, |row| row.description.clone()),
        &each(rows, |row| row.status.to_owned()),
        &each(rows, |row| row.priority),
        on(start) as _,
        local(start) as _,
        &zone(start) as _,
        at(start) as _,
        on(due) as _,
        local(due) as _,
        &zone(due) as _,
        at(due) as _,
        &each(rows, |row| row.turns.as_ref().map(|turns| turns.0.clone())) as _,
        &each(rows, |row| row.turns.as_ref().map(|turns| turns.1.to_owned())) as _,
        each(rows, |row| row.turns.as_ref().map(|turns| turns.2)) as _,
        &each(rows, |row| row.turns.as_ref().map_or(1, |turns| turns.3)),
        &each(rows, |row| row.parent.map(|parent| parent.0)) as _,
        &each(rows, |row| row.position.clone()),
        &each(rows, |row| row.created_by.0),
        each(rows, |row| row.created_at) as _,
        each(rows, |row| row.updated_at) as _,
        &each(rows, |row| row.completed.map(|(by, _)| by.0)) as _,
        each(rows, |row| row.completed.and_then(|(_, at)| at)) as _,
    )
    .execute(core.sql())
    .await?;
    people(core, rows).await?;
    let history = Value::from_iter([("imported", serde_json::json!({ "from": null, "to": origin }))]);
    let request = Some(core.origin.request_id.clone()).filter(|id| !id.is_empty());
    sqlx::query!(
        "insert into task_events (org_id, id, task_id, actor_id, action, changes, request_id)
         select current_org(), e.id, e.task_id, current_account(), 'created', $3, $4
         from unnest($1::uuid[], $2::uuid[]) as e (id, task_id)",
        &each(rows, |_| Uuid::now_v7()),
        &each(rows, |row| row.id.0),
        history,
        request,
    )
    .execute(core.sql())
    .await?;
    Ok(())
}

/// What hangs on tasks.
async fn people(core: &mut Core, rows: &[TaskRow]) -> Result<()> {
    let assigned: Vec<(Uuid, Uuid)> =
        rows.iter().flat_map(|row| row.assignees.iter().map(|account| (row.id.0, account.0))).collect();
    if !assigned.is_empty() {
        sqlx::query!(
            "insert into task_assignees (org_id, task_id, account_id)
             select current_org(), a.task_id, a.account_id from unnest($1::uuid[], $2::uuid[]) as a (task_id, account_id)",
            &each(&assigned, |pair| pair.0),
            &each(&assigned, |pair| pair.1),
        )
        .execute(core.sql())
        .await?;
    }
    let labelled: Vec<(Uuid, Uuid, Uuid)> =
        rows.iter().flat_map(|row| row.labels.iter().map(|label| (row.project.0, row.id.0, *label))).collect();
    if !labelled.is_empty() {
        sqlx::query!(
            "insert into task_labels (org_id, project_id, task_id, label_id)
             select current_org(), l.project_id, l.task_id, l.label_id
             from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as l (project_id, task_id, label_id)",
            &each(&labelled, |row| row.0),
            &each(&labelled, |row| row.1),
            &each(&labelled, |row| row.2),
        )
        .execute(core.sql())
        .await?;
    }
    let watched: Vec<(Uuid, Uuid, &str)> =
        rows.iter().flat_map(|row| row.watches.iter().map(|(account, state)| (row.id.0, account.0, *state))).collect();
    if !watched.is_empty() {
        sqlx::query!(
            "insert into task_watches (org_id, task_id, account_id, state)
             select current_org(), w.task_id, w.account_id, w.state
             from unnest($1::uuid[], $2::uuid[], $3::text[]) as w (task_id, account_id, state)",
            &each(&watched, |row| row.0),
            &each(&watched, |row| row.1),
            &each(&watched, |row| row.2.to_owned()),
        )
        .execute(core.sql())
        .await?;
    }
    Ok(())
}

pub(super) async fn labels(core: &mut Core, rows: &[LabelRow]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into labels (org_id, id, project_id, name, colour)
         select current_org(), l.id, l.project_id, l.name, l.colour
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) as l (id, project_id, name, colour)",
        &each(rows, |row| row.id),
        &each(rows, |row| row.project.0),
        &each(rows, |row| row.name.clone()),
        &each(rows, |row| row.colour.clone()) as _,
    )
    .execute(core.sql())
    .await?;
    Ok(())
}

pub(super) async fn comments(core: &mut Core, rows: &[CommentRow]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let ids = each(rows, |_| Uuid::now_v7());
    sqlx::query!(
        "insert into comments (org_id, id, task_id, author_id, body, created_at, edited_at)
         select current_org(), c.id, c.task_id, c.author_id, c.body, coalesce(c.created_at, now()), c.edited_at
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::timestamptz[])
              as c (id, task_id, author_id, body, created_at, edited_at)",
        &ids,
        &each(rows, |row| row.task.0),
        &each(rows, |row| row.author.0),
        &each(rows, |row| row.body.clone()),
        each(rows, |row| row.created_at) as _,
        each(rows, |row| row.edited_at) as _,
    )
    .execute(core.sql())
    .await?;
    let mentions: Vec<(Uuid, Uuid)> =
        ids.iter().zip(rows).flat_map(|(id, row)| row.mentions.iter().map(|account| (*id, account.0))).collect();
    if !mentions.is_empty() {
        sqlx::query!(
            "insert into comment_mentions (org_id, comment_id, account_id)
             select current_org(), m.comment_id, m.account_id from unnest($1::uuid[], $2::uuid[]) as m (comment_id, account_id)",
            &each(&mentions, |pair| pair.0),
            &each(&mentions, |pair| pair.1),
        )
        .execute(core.sql())
        .await?;
    }
    Ok(())
}
