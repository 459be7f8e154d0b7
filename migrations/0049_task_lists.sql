-- What GET …/tasks walks (common/src/tasks/list/, docs/adr/0017). Under row security only comparisons that cannot leak reach
-- an index: those of uuid, text, integers and timestamptz do, those of numeric do not, and no function call does. So what is
-- sorted by stands in columns of its own, none of them null.

alter table tasks
    add column due_key timestamptz not null generated always as
        (coalesce(due_at, (due_on + 1)::timestamp at time zone 'UTC', 'infinity')) stored,
    add column urgency smallint not null generated always as ((4 - priority)::smallint) stored,
    add column title_key text collate "C" not null generated always as (lower(title)) stored;
comment on column tasks.due_key is
    'sort=due: an instant as it is, a day as its end in UTC, and behind all others what is never due.';
comment on column tasks.urgency is
    'Priority the other way round: -priority,due,id then rises in all its parts, and one index comparison finds the page.';
comment on column tasks.title_key is 'sort=title: small letters, in the order of their code points, which no update of a library changes.';

-- tasks_project_id_key has the same columns.
drop index tasks_project_idx;

-- Each index leads with the status: a list asks for some of the four, and looks at one stretch of the index for each. What is
-- long done is then never in the way of what is open.

-- With the project, so that a walk past what is not seen reads the index alone.
-- sort=created, the default, with a status. (Without one: tasks_pkey.)
create index tasks_status_idx on tasks (org_id, status, id) include (project_id) where deleted_at is null;
-- sort=due; due_before, due_after, overdue.
create index tasks_due_idx on tasks (org_id, status, due_key, id) include (project_id) where deleted_at is null;
-- sort=updated; updated_since.
create index tasks_updated_idx on tasks (org_id, status, updated_at, id) include (project_id) where deleted_at is null;

-- The same within one project: for project=…, and for callers who see few of many projects.
create index tasks_project_status_idx on tasks (org_id, project_id, status, id) where deleted_at is null;
create index tasks_project_due_idx on tasks (org_id, project_id, status, due_key, id) where deleted_at is null;
create index tasks_project_updated_idx on tasks (org_id, project_id, status, updated_at, id) where deleted_at is null;
-- sort=-priority and sort=-priority,due; priority=….
create index tasks_project_urgency_idx on tasks (org_id, project_id, status, urgency, due_key, id) where deleted_at is null;
-- sort=title.
create index tasks_project_title_idx on tasks (org_id, project_id, status, title_key, id) where deleted_at is null;
-- sort=position.
create index tasks_project_position_idx on tasks (org_id, project_id, status, position, id) where deleted_at is null;
-- sort=number: tasks_number_key.

-- created_by=….
create index tasks_created_by_idx on tasks (org_id, created_by, id) where deleted_at is null;
-- deleted=true.
create index tasks_bin_idx on tasks (org_id, id) where deleted_at is not null;
-- (parent=…: tasks_parent_idx. label=…: task_labels_label_idx.)
-- assignee=…; GET /v1/me/tasks; the end of a membership.
create index task_assignees_account_idx on task_assignees (org_id, account_id, task_id);
