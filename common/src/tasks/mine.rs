//! What the caller has to do, in all their organizations.

use std::collections::HashMap;

use deserr::Deserr;
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Priority, Task, TaskRow, TaskStatus,
    list::{Include, PriorityIs, Sort, SortKey, Statement, TaskList, keys, position},
    task::columns,
    view::{self, Expand, TaskField, TaskView},
};
use crate::{
    access::{Core, MyTasks, Scope},
    error::Result,
    ids::OrgId,
    input::Faults,
    page::{Cursor, Limit, Page, Total},
    parameters::{Flag, Several},
    time::{Instant, Moment},
};

/// Which of the caller's own tasks, and which page of them.
#[derive(Debug, Default, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct MyTaskList {
    /// As they stand: any of these.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<TaskStatus>>, example = json!(["open", "waiting"]))]
    pub status: Option<Several<TaskStatus>>,
    /// Done or not.
    #[deserr(default)]
    #[schema(value_type = Option<bool>)]
    pub completed: Option<Flag>,
    /// Of these priorities, 0 to 4.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<Priority>>, example = json!([3, 4]))]
    pub priority: Option<Several<PriorityIs>>,
    /// Due before this day or instant.
    #[deserr(default)]
    pub due_before: Option<Moment>,
    /// Due after this day or instant.
    #[deserr(default)]
    pub due_after: Option<Moment>,
    /// `true`: not done in time.
    #[deserr(default)]
    #[schema(value_type = Option<bool>)]
    pub overdue: Option<Flag>,
    /// Changed since.
    #[deserr(default)]
    pub updated_since: Option<Instant>,
    /// In this order; `-` before a key goes down. Newest first unless said.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<SortKey>>, example = json!(["-priority", "due"]))]
    pub sort: Sort,
    /// Items a page.
    #[deserr(default)]
    pub limit: Limit,
    /// Where the page begins.
    #[deserr(default)]
    pub cursor: Option<Cursor>,
    /// `total`: how many there are, counted to 10,000.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<Include>>, example = json!(["total"]))]
    pub include: Option<Several<Include>>,
    /// These fields alone.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<TaskField>>, example = json!(["key", "title", "due"]))]
    pub fields: Option<Several<TaskField>>,
    /// What these ids stand for, too, in `expanded`.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<Expand>>, example = json!(["project", "assignees"]))]
    pub expand: Option<Several<Expand>>,
}

/// Where a task is, and its position in the order.
#[derive(Debug, FromRow)]
struct Place {
    org_id: Uuid,
    id: Uuid,
    keys: Vec<String>,
}

/// A page of the tasks that are assigned to the caller, each with its organization and its project. Which ones, a definer
/// function knows (migrations/0051); what is shown of them is read in each organization, under row security.
///
/// # Errors
/// [`crate::Error::BadCursor`].
pub async fn mine(scope: &mut Scope<MyTasks>, asked: MyTaskList) -> Result<Page<TaskView>> {
    let MyTaskList { status, completed, priority, due_before, due_after, overdue, updated_since, .. } = asked;
    let MyTaskList { sort, limit, cursor, include, fields, expand, .. } = asked;
    let list = TaskList {
        status,
        completed,
        priority,
        due_before,
        due_after,
        overdue,
        updated_since,
        sort,
        limit,
        include,
        ..TaskList::default()
    };
    let name = format!("my {}", list.name());
    let core = scope.core();
    let after = match &cursor {
        Some(cursor) => Some(keys(cursor.position(core, &name)?)?),
        None => None,
    };
    let statement = Statement::of_mine(&list);
    let places: Vec<Place> = statement.places(after.as_deref()).build_query_as().fetch_all(core.sql()).await?;
    let mut places = Page::cut(places, limit, |place| Cursor::seal(core, &name, &position(&place.keys)));
    if list.total() {
        places.page.total = Some(Total::of(statement.count_places().build_query_scalar().fetch_one(core.sql()).await?));
    }
    let Page { data: places, page } = places;
    let expand = Several([expand.map_or_else(Vec::new, |several| several.0), vec![Expand::Project]].concat());
    let mut orgs: Vec<Uuid> = places.iter().map(|place| place.org_id).collect();
    orgs.sort_unstable();
    orgs.dedup();
    let mut shown = HashMap::new();
    for org in orgs {
        let ids: Vec<Uuid> = places.iter().filter(|place| place.org_id == org).map(|place| place.id).collect();
        shown.extend(within(core, OrgId(org), &ids, fields.clone(), &expand).await?);
    }
    Ok(Page { data: places.iter().filter_map(|place| shown.remove(&place.id)).collect(), page })
}

const THESE: &str = concat!(
    "select ",
    columns!(),
    ", p.key as project_key, permissions_in(p.id, p.visibility) as held
     from tasks t join projects p on p.org_id = t.org_id and p.id = t.project_id where t.id = any($1)"
);

async fn within(
    core: &mut Core,
    org: OrgId,
    ids: &[Uuid],
    fields: Option<Several<TaskField>>,
    expand: &Several<Expand>,
) -> Result<HashMap<Uuid, TaskView>> {
    sqlx::query!("select enter_mine($1)", org.0).execute(core.sql()).await?;
    let organization = view::organization(core).await?;
    let rows: Vec<TaskRow> = sqlx::query_as(THESE).bind(ids).fetch_all(core.sql()).await?;
    let tasks: Vec<Task> = rows.into_iter().map(Task::from).collect();
    let ids: Vec<Uuid> = tasks.iter().map(|task| task.id.0).collect();
    let views = view::views(core, tasks, fields, expand).await?;
    Ok(ids.into_iter().zip(views.into_iter().map(|view| view.of(organization.clone()))).collect())
}
