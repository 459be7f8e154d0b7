-- What changing a task needs beside its columns.

-- Subtasks: counted with their task, moved and deleted with it, and looked for by the key that refers to it.
create index tasks_parent_idx on tasks (org_id, parent_id) where parent_id is not null;
-- purge_tasks: what was deleted long ago, and of a deleted task the others that went with it.
create index tasks_deleted_idx on tasks (deleted_at) where deleted_at is not null;

-- A reminder that is taken away stays as a row: what it owed can still be looked up.
alter table reminders add column removed_at timestamptz;

-- The history of a task is written by this alone, inside the statement that changes it.
create function record_task_event(task uuid, action text, changes jsonb, request_id text) returns uuid
    language sql volatile
    begin atomic
        insert into task_events (org_id, id, task_id, actor_id, action, changes, request_id)
        values (current_org(), uuid_v7(), task, current_account(), action, changes, request_id) returning id;
    end;
revoke execute on function record_task_event(uuid, text, jsonb, text) from public;
grant execute on function record_task_event(uuid, text, jsonb, text), uuid_v7() to taskbell_app;

-- A place between two others: the next one after a position is looked up, not sorted out of a hundred thousand.
create index tasks_position_idx on tasks (org_id, project_id, position);
