-- "My tasks", which lie in several organizations; and what has changed since (docs/adr/0016).

-- Where somebody's own tasks are, and what a list compares of them (common/src/tasks/mine.rs). As row security would decide for
-- each organization: an active member, a project they see, and of a personal token its own organization alone.
create function my_tasks(statuses text[])
    returns table (org_id uuid, id uuid, zone text, project_id uuid, parent_id uuid, number integer, status text, urgency smallint,
                   due_on date, due_at timestamptz, due_key timestamptz, updated_at timestamptz, title_key text, "position" numeric)
    language sql stable security definer set search_path = public, pg_temp as $$
    with mine as materialized (
        select m.org_id, m.account_id, o.time_zone, permissions_of_role(m.org_id, m.role) as held
        from memberships m join organizations o on o.id = m.org_id
        where m.account_id = current_account() and m.status = 'active' and o.deletion_due_at is null
          and not exists (select from tokens k where k.account_id = m.account_id and k.id = current_credential() and k.org_id <> m.org_id)
    )
    select t.org_id, t.id, m.time_zone, t.project_id, t.parent_id, t.number, t.status, t.urgency,
           t.due_on, t.due_at, t.due_key, t.updated_at, t.title_key, t.position
    from mine m
         join task_assignees a on a.org_id = m.org_id and a.account_id = m.account_id
         join tasks t on t.org_id = a.org_id and t.id = a.task_id and t.deleted_at is null and t.status = any(statuses)
         join projects p on p.org_id = t.org_id and p.id = t.project_id
         left join project_grants g on g.org_id = p.org_id and g.project_id = p.id and g.account_id = m.account_id
    where (case p.visibility when 'open' then m.held else 0 end | coalesce(grant_permissions(g.role), 0))
          & current_scopes() & 512 = 512
$$;

-- What such a list shows of one organization is read in it, under row security: the caller goes from one of theirs to the next.
create function enter_mine(org uuid) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare held bigint;
begin
    select permissions_of_role(m.org_id, m.role) into held
    from memberships m join organizations o on o.id = m.org_id and o.deletion_due_at is null
    where m.org_id = org and m.account_id = current_account() and m.status = 'active'
      and not exists (select from tokens k where k.account_id = m.account_id and k.id = current_credential() and k.org_id <> m.org_id);
    if held is null then
        raise exception 'not a member' using errcode = 'TB404';
    end if;
    perform enter(org, current_account(), held & current_scopes(), current_scopes(), current_credential());
end $$;

-- GET …/tasks/changes, oldest change first.
create index tasks_changed_idx on tasks (org_id, changed_xid, id);
create index task_tombstones_changed_idx on task_tombstones (org_id, changed_xid, task_id);

-- Who does it is shown by a task: when somebody leaves it is a change of what was theirs (`end_membership`). At the end of the
-- transaction, since most often the task itself is changed in it. (Labels: common/src/labels.rs.)
create function note_change() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    -- The zero is overwritten: stamp_change() knows better.
    update tasks t set changed_xid = 0
    where t.org_id = old.org_id and t.id = old.task_id and t.changed_xid <> pg_current_xact_id()::text::bigint;
    return null;
end $$;
create constraint trigger task_assignees_changed after delete on task_assignees
    deferrable initially deferred for each row execute function note_change();

alter function my_tasks(text[])  owner to taskbell_auth;
alter function enter_mine(uuid)  owner to taskbell_auth;
alter function note_change()     owner to taskbell_auth;
revoke execute on function my_tasks(text[]), enter_mine(uuid), note_change() from public;
grant execute on function my_tasks(text[]), enter_mine(uuid) to taskbell_app;
grant execute on function note_change() to taskbell_app, taskbell_worker, taskbell_auth;
grant update (changed_xid) on tasks to taskbell_auth;
