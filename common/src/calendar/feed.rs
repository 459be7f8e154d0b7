//! Which tasks stand in a calendar, and what is shown of them.

use url::Url;
use uuid::Uuid;

use super::written::{Calendar, Event, When};
use crate::{
    access::{CalendarReader, Core, Permission as _, ReadTasks, Scope},
    error::Result,
    ids::OrgId,
    time::DueColumns,
};

/// More than anybody looks at, and a file that every program still reads.
const MOST: i64 = 1_000;

/// The calendar as a file of iCalendar: the open tasks with a due value that are assigned to its owner, or to nobody and made by them,
/// in every organization in which they are an active member, of the projects that they see and that are not archived; of too many the
/// thousand that are due nearest to now. The same tasks give the same bytes.
///
/// # Errors
/// The database's.
pub async fn feed(scope: &mut Scope<CalendarReader>, home: &Url) -> Result<String> {
    let core = scope.core();
    let places = sqlx::query!(r#"select org_id as "org_id!: OrgId", id as "id!" from calendar_tasks($1)"#, MOST)
        .fetch_all(core.sql())
        .await?;
    let mut orgs: Vec<OrgId> = places.iter().map(|place| place.org_id).collect();
    orgs.sort_unstable();
    orgs.dedup();
    let mut events = Vec::with_capacity(places.len());
    for org in orgs {
        let ids: Vec<Uuid> = places.iter().filter(|place| place.org_id == org).map(|place| place.id).collect();
        events.extend(within(core, org, &ids, home.as_str().trim_end_matches('/')).await?);
    }
    events.sort_unstable_by_key(|(due, event)| (*due, event.id));
    let mut calendar = Calendar::begin();
    for (_, event) in &events {
        calendar.add(event);
    }
    Ok(calendar.end())
}

/// Of one organization, under its row security; each with what it is sorted by.
async fn within(core: &mut Core, org: OrgId, ids: &[Uuid], home: &str) -> Result<Vec<(jiff::Timestamp, Event)>> {
    sqlx::query!("select enter_mine($1)", org.0).execute(core.sql()).await?;
    let rows = sqlx::query!(
        r#"select t.id, t.title, t.number, t.version, t.updated_at, t.due_on, t.due_local, t.due_zone, t.due_at, t.due_key,
                  p.key, p.name as project, o.slug, o.name as organization
           from tasks t join projects p on p.org_id = t.org_id and p.id = t.project_id join organizations o on o.id = t.org_id
           where t.id = any($1) and permissions_in(p.id, p.visibility) & $2 <> 0"#,
        ids,
        ReadTasks::BITS,
    )
    .fetch_all(core.sql())
    .await?;
    let events = rows.into_iter().filter_map(|row| {
        let when = match (row.due_at, row.due_on) {
            (Some(at), _) => When::Moment(at.to_jiff()),
            (None, day) => When::Day(day?.to_jiff()),
        };
        let due = DueColumns { on: row.due_on, local: row.due_local, zone: row.due_zone, at: row.due_at };
        let event = Event {
            id: row.id,
            when,
            due: due.due()?,
            title: row.title,
            key: format!("{}-{}", row.key, row.number),
            project: row.project,
            organization: row.organization,
            address: format!("{home}/v1/orgs/{}/tasks/{}", row.slug, row.id),
            updated_at: row.updated_at.to_jiff(),
            version: row.version,
        };
        Some((row.due_key.to_jiff(), event))
    });
    Ok(events.collect())
}
