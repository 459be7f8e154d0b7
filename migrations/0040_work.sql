-- The work itself: what a project and a task have beside their names, and what surrounds a task.

alter table projects
    add column description text    not null default '',
    add column colour      text,
    add column position    numeric not null default 0,
    add column task_count  integer not null default 0,
    add constraint projects_description_check check (length(description) <= 20000),
    add constraint projects_colour_check check (colour ~ '^#[0-9a-f]{6}$'),
    add constraint projects_task_count_check check (task_count >= 0);
comment on column projects.position is 'Order among the projects; between two numbers there is always a third one.';
comment on column projects.task_count is
    'Kept by the statement that locks the row to give a number: the quota is checked without counting a hundred thousand rows.';

alter table tasks
    add column status           text        not null default 'open',
    add column priority         smallint    not null default 0,
    add column start_on         date,
    add column start_local      timestamp,
    add column start_zone       text,
    add column start_at         timestamptz,
    add column recurrence       text,
    add column recurrence_basis text,
    add column recurrence_start timestamp,
    add column occurrence       integer     not null default 1,
    add column generation       integer     not null default 1,
    add column parent_id        uuid,
    add column position         numeric     not null default 0,
    add column deleted_at       timestamptz,
    add column deleted_by       uuid,
    add column changed_xid      bigint      not null default pg_current_xact_id()::text::bigint,
    add constraint tasks_project_id_key unique (org_id, project_id, id),
    add constraint tasks_parent_fkey foreign key (org_id, project_id, parent_id)
        references tasks (org_id, project_id, id) deferrable initially deferred,
    add constraint tasks_parent_check check (parent_id <> id),
    add constraint tasks_description_check check (length(description) <= 20000),
    add constraint tasks_priority_check check (priority between 0 and 4),
    add constraint tasks_start_check check (
        (start_on is null or num_nonnulls(start_local, start_zone, start_at) = 0)
        and (start_local is null) = (start_zone is null)
        and (start_local is null or start_at is not null)),
    add constraint tasks_recurrence_check check (
        num_nonnulls(recurrence, recurrence_basis, recurrence_start) in (0, 3)
        and (recurrence is null or num_nonnulls(due_on, due_local) = 1)),
    add constraint tasks_recurrence_basis_check check (recurrence_basis in ('schedule', 'completion')),
    add constraint tasks_deletion_check check ((deleted_at is null) = (deleted_by is null));
comment on column tasks.occurrence is 'How often it has come round: a recurring task stays one row, and its due value moves on.';
comment on column tasks.generation is 'Rises whenever its reminders are planned anew; deliveries carry it.';
comment on column tasks.recurrence_start is 'DTSTART of the rule, in the zone of the due value: what COUNT and INTERVAL count from.';
comment on column tasks.changed_xid is
    'The transaction of the last change: GET …/tasks/changes walks it, and stops before the oldest transaction that is still open.';

-- FORCE binds the owner of a table too: without this the backfill would see nothing.
alter table tasks no force row level security;
alter table projects no force row level security;
update tasks set position = number, status = case when completed_at is null then 'open' else 'completed' end;
update projects p set task_count = (select count(*) from tasks t where t.org_id = p.org_id and t.project_id = p.id);
update projects p set position = q.place
from (select org_id, id, row_number() over (partition by org_id order by key) as place from projects) q
where p.org_id = q.org_id and p.id = q.id;
alter table tasks force row level security;
alter table projects force row level security;
alter table tasks add constraint tasks_status_check check (
    status in ('open', 'in_progress', 'waiting', 'completed') and (status = 'completed') = (completed_at is not null));

create function stamp_change() returns trigger language plpgsql as $$
begin
    new.changed_xid := pg_current_xact_id()::text::bigint;
    return new;
end $$;
create trigger tasks_changed before update on tasks for each row execute function stamp_change();

create table labels (
    org_id     uuid        not null,
    id         uuid        not null,
    project_id uuid        not null,
    name       text        not null,
    colour     text,
    created_at timestamptz not null default now(),
    version    integer     not null default 1,
    constraint labels_pkey primary key (org_id, id),
    constraint labels_project_id_key unique (org_id, project_id, id),
    constraint labels_project_fkey foreign key (org_id, project_id) references projects (org_id, id) on delete cascade,
    constraint labels_name_check check (length(name) between 1 and 60),
    constraint labels_colour_check check (colour ~ '^#[0-9a-f]{6}$')
);
create unique index labels_name_key on labels (org_id, project_id, lower(name));

create table task_labels (
    org_id     uuid not null,
    project_id uuid not null,
    task_id    uuid not null,
    label_id   uuid not null,
    constraint task_labels_pkey primary key (org_id, task_id, label_id),
    constraint task_labels_task_fkey foreign key (org_id, project_id, task_id)
        references tasks (org_id, project_id, id) on delete cascade deferrable initially deferred,
    constraint task_labels_label_fkey foreign key (org_id, project_id, label_id)
        references labels (org_id, project_id, id) on delete cascade deferrable initially deferred
);
comment on table task_labels is 'Both keys name the project: a label of one project is never on a task of another.';
-- Tasks with a label; and what goes with a label.
create index task_labels_label_idx on task_labels (org_id, label_id, task_id);

create table comments (
    org_id     uuid        not null,
    id         uuid        not null,
    task_id    uuid        not null,
    author_id  uuid        not null,
    body       text        not null,
    created_at timestamptz not null default now(),
    edited_at  timestamptz,
    deleted_at timestamptz,
    deleted_by uuid,
    version    integer     not null default 1,
    constraint comments_pkey primary key (org_id, id),
    constraint comments_task_fkey foreign key (org_id, task_id) references tasks (org_id, id) on delete cascade,
    constraint comments_author_fkey foreign key (org_id, author_id) references memberships (org_id, account_id),
    constraint comments_body_check check (length(body) <= 20000 and (body = '') = (deleted_at is not null)),
    constraint comments_deletion_check check ((deleted_at is null) = (deleted_by is null))
);
comment on table comments is 'A deleted one stays as a row without a body: the thread keeps its order.';
-- GET …/tasks/{id}/comments, oldest first.
create index comments_task_idx on comments (org_id, task_id, id);

create table comment_mentions (
    org_id     uuid not null,
    comment_id uuid not null,
    account_id uuid not null,
    constraint comment_mentions_pkey primary key (org_id, comment_id, account_id),
    constraint comment_mentions_comment_fkey foreign key (org_id, comment_id) references comments (org_id, id) on delete cascade,
    constraint comment_mentions_account_fkey foreign key (org_id, account_id) references memberships (org_id, account_id)
);

create table task_watches (
    org_id     uuid        not null,
    task_id    uuid        not null,
    account_id uuid        not null,
    state      text        not null,
    since      timestamptz not null default now(),
    constraint task_watches_pkey primary key (org_id, task_id, account_id),
    constraint task_watches_task_fkey foreign key (org_id, task_id) references tasks (org_id, id) on delete cascade,
    constraint task_watches_account_fkey foreign key (org_id, account_id) references memberships (org_id, account_id) on delete cascade,
    constraint task_watches_state_check check (state in ('watching', 'muted'))
);

create table task_events (
    org_id     uuid        not null,
    id         uuid        not null,
    task_id    uuid        not null,
    actor_id   uuid        not null,
    action     text        not null,
    changes    jsonb       not null default '{}',
    request_id text,
    at         timestamptz not null default now(),
    constraint task_events_pkey primary key (org_id, id),
    constraint task_events_task_fkey foreign key (org_id, task_id) references tasks (org_id, id) on delete cascade,
    constraint task_events_actor_fkey foreign key (org_id, actor_id) references memberships (org_id, account_id),
    constraint task_events_action_check check (action in
        ('created', 'updated', 'moved', 'completed', 'reopened', 'deleted', 'restored'))
);
comment on table task_events is 'The history of a task, append-only: {"title": {"from": …, "to": …}}.';
-- GET …/tasks/{id}/history, newest first.
create index task_events_task_idx on task_events (org_id, task_id, id desc);

create table task_tombstones (
    org_id      uuid        not null,
    project_id  uuid        not null,
    task_id     uuid        not null,
    changed_xid bigint      not null default pg_current_xact_id()::text::bigint,
    at          timestamptz not null default now(),
    constraint task_tombstones_pkey primary key (org_id, project_id, task_id),
    constraint task_tombstones_project_fkey foreign key (org_id, project_id) references projects (org_id, id) on delete cascade
);
comment on table task_tombstones is
    'A task that is no longer in this project: moved to another one, or gone for good. What GET …/tasks/changes tells of it.';

do $$
declare t text;
begin
    foreach t in array array['labels', 'task_labels', 'comments', 'comment_mentions', 'task_watches', 'task_events',
                             'task_tombstones'] loop
        execute format('alter table %I enable row level security, force row level security', t);
        execute format('create policy tenant on %I to taskbell_app, taskbell_worker using (org_id = (select current_org()))', t);
    end loop;
end $$;

grant select, insert, update, delete on labels, task_watches, task_tombstones to taskbell_app;
grant select, insert, delete         on task_labels, comment_mentions         to taskbell_app;
grant select, insert, update         on comments                              to taskbell_app;
grant select, insert                 on task_events                           to taskbell_app;
grant delete                         on projects                              to taskbell_app;
grant select on task_watches to taskbell_worker;
revoke execute on function stamp_change() from public;
grant execute on function stamp_change() to taskbell_app, taskbell_worker, taskbell_auth;
