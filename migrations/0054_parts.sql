-- A task shows how many parts it has and how many of them are done: what happens to a part is a change of the whole, which is told
-- again (docs/adr/0016). Its version and `updated_at` stay. At once and not deferred: parts are locked before their whole
-- (common/src/tasks/lock.rs).
create function note_part() returns trigger language plpgsql as $$
begin
    -- The zero is overwritten: stamp_change() knows better.
    update tasks t set changed_xid = 0
    where t.org_id = new.org_id and t.id in (old.parent_id, new.parent_id)
      and t.changed_xid <> pg_current_xact_id()::text::bigint;
    return null;
end $$;
create trigger tasks_part_created after insert on tasks
    for each row when (new.parent_id is not null) execute function note_part();
create trigger tasks_part_changed after update of parent_id, completed_at, deleted_at on tasks
    for each row when ((old.parent_id, old.completed_at is null, old.deleted_at is null)
                       is distinct from (new.parent_id, new.completed_at is null, new.deleted_at is null)
                       and num_nonnulls(old.parent_id, new.parent_id) > 0)
    execute function note_part();

revoke execute on function note_part() from public;
grant execute on function note_part() to taskbell_app, taskbell_worker, taskbell_auth;
