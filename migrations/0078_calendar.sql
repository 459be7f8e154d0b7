-- One's due tasks as a calendar: a secret address that programs ask for again and again.

-- Whoever has the address reads tasks as the person may, and nothing else.
create function begin_calendar(token_hash text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare who uuid;
begin
    select c.account_id into who from calendar_links c
    where c.token_hash = decode(begin_calendar.token_hash, 'hex');
    if who is null then
        raise exception 'no such link' using errcode = 'TB404';
    end if;
    -- 512: tasks:read.
    perform enter(null, who, 0, 512, null);
end $$;

-- Which tasks stand in the caller's calendar: open ones with a due value that are theirs, or nobody's and made by them, where they see
-- the project and it is not archived; those that are due nearest to now, if there are too many. What is shown of them is read in each
-- organization, under row security (common/src/calendar/feed.rs).
create function calendar_tasks(most bigint) returns table (org_id uuid, id uuid)
    language sql stable security definer set search_path = public, pg_temp as $$
    with mine as materialized (
        select m.org_id, m.account_id, permissions_of_role(m.org_id, m.role) as held
        from memberships m join organizations o on o.id = m.org_id
        where m.account_id = current_account() and m.status = 'active' and o.deletion_due_at is null
    ), candidates as (
        select m.held, m.account_id, t.org_id, t.id, t.project_id, t.due_key
        from mine m
             join task_assignees a on a.org_id = m.org_id and a.account_id = m.account_id
             join tasks t on t.org_id = a.org_id and t.id = a.task_id
        where t.deleted_at is null and t.completed_at is null and t.due_key < 'infinity'
        union all
        select m.held, m.account_id, t.org_id, t.id, t.project_id, t.due_key
        from mine m join tasks t on t.org_id = m.org_id and t.created_by = m.account_id
        where t.deleted_at is null and t.completed_at is null and t.due_key < 'infinity'
          and not exists (select from task_assignees a where a.org_id = t.org_id and a.task_id = t.id)
    )
    select c.org_id, c.id
    from candidates c
         join projects p on p.org_id = c.org_id and p.id = c.project_id and p.archived_at is null
         left join project_grants g on g.org_id = p.org_id and g.project_id = p.id and g.account_id = c.account_id
    where (case p.visibility when 'open' then c.held else 0 end | coalesce(grant_permissions(g.role), 0))
          & current_scopes() & 512 = 512
    order by greatest(c.due_key - now(), now() - c.due_key), c.id
    limit most
$$;

-- As before, with calendars: they are asked for by programs, and no address of theirs says who asks.
create or replace function stamp_uses(hashes bytea[], addresses inet[]) returns void
    language sql volatile security definer set search_path = public, pg_temp as $$
    update sessions s set last_used_at = now(), last_used_address = u.address
    from unnest(hashes, addresses) u (hash, address) where s.token_hash = u.hash
      and (s.last_used_at < now() - interval '1 minute' or s.last_used_address is null);
    update tokens t set last_used_at = now(), last_used_address = u.address
    from unnest(hashes, addresses) u (hash, address) where t.token_hash = u.hash
      and (t.last_used_at < now() - interval '1 minute' or t.last_used_at is null);
    update calendar_links c set last_used_at = now()
    where c.token_hash = any(hashes) and (c.last_used_at < now() - interval '1 minute' or c.last_used_at is null);
$$;

-- An account that has ended is a row without a person (0031): nothing opens it any more.
create function end_calendar() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    delete from calendar_links c where c.account_id = new.id;
    return null;
end $$;
create trigger accounts_end_calendar after update of deleted_at on accounts
    for each row when (new.deleted_at is not null) execute function end_calendar();

alter function begin_calendar(text)   owner to taskbell_auth;
alter function calendar_tasks(bigint) owner to taskbell_auth;
alter function end_calendar()         owner to taskbell_auth;
revoke execute on function begin_calendar(text), calendar_tasks(bigint), end_calendar() from public;
grant execute on function begin_calendar(text), calendar_tasks(bigint) to taskbell_app;
grant execute on function end_calendar() to taskbell_auth;
grant select, delete         on calendar_links to taskbell_auth;
grant update (last_used_at)  on calendar_links to taskbell_auth;
