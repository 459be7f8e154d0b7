create table tasks (
    org_id       uuid        not null,
    id           uuid        not null,
    project_id   uuid        not null,
    number       integer     not null,
    title        text        not null,
    description  text        not null default '',
    due_on       date,
    due_local    timestamp,
    due_zone     text,
    due_at       timestamptz,
    created_by   uuid        not null,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now(),
    completed_by uuid,
    completed_at timestamptz,
    version      integer     not null default 1,
    constraint tasks_pkey primary key (org_id, id),
    constraint tasks_project_fkey foreign key (org_id, project_id) references projects (org_id, id) on delete cascade,
    constraint tasks_created_by_fkey foreign key (org_id, created_by) references memberships (org_id, account_id),
    constraint tasks_number_key unique (org_id, project_id, number),
    constraint tasks_title_check check (length(title) between 1 and 200),
    constraint tasks_due_check check (
        (due_on is null or num_nonnulls(due_local, due_zone, due_at) = 0)
        and (due_local is null) = (due_zone is null)
        and (due_local is null or due_at is not null)),
    constraint tasks_completion_check check ((completed_at is null) = (completed_by is null))
);
comment on constraint tasks_due_check on tasks is
    'Three forms: a date; an instant (due_at); a local time with its zone, whose instant is kept in due_at.';
-- GET …/tasks walks by creation (UUIDv7), newest first, in one organization or one project.
create index tasks_project_idx on tasks (org_id, project_id, id desc);

create table task_assignees (
    org_id     uuid not null,
    task_id    uuid not null,
    account_id uuid not null,
    constraint task_assignees_pkey primary key (org_id, task_id, account_id),
    constraint task_assignees_task_fkey foreign key (org_id, task_id) references tasks (org_id, id) on delete cascade,
    constraint task_assignees_account_fkey foreign key (org_id, account_id) references memberships (org_id, account_id)
);

create table reminders (
    org_id       uuid        not null,
    id           uuid        not null,
    task_id      uuid        not null,
    "offset"     text,
    local_time   timestamp,
    time_zone    text,
    at           timestamptz,
    recipient    text        not null,
    account_id   uuid,
    created_by   uuid        not null,
    created_at   timestamptz not null default now(),
    constraint reminders_pkey primary key (org_id, id),
    constraint reminders_task_fkey foreign key (org_id, task_id) references tasks (org_id, id) on delete cascade,
    constraint reminders_account_fkey foreign key (org_id, account_id) references memberships (org_id, account_id),
    constraint reminders_when_check check (
        num_nonnulls("offset", local_time, at) = 1 and (local_time is null) = (time_zone is null)),
    constraint reminders_recipient_check check (
        recipient in ('account', 'assignees') and (recipient = 'account') = (account_id is not null))
);
comment on table reminders is 'The rule: when, and who. What somebody is owed by it is a delivery.';
create index reminders_task_idx on reminders (org_id, task_id);
