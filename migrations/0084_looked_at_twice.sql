-- Who is planned for anew is looked at a second time when all is over that was being written at the first: a task that was created
-- at that moment may have been planned by the clock of before, or for somebody who could not see it yet. Nothing of theirs waits for that.
alter table replans add column again_after xid8;
comment on column replans.again_after is
    'Null: not planned yet, and none of their reminders goes out. Else planned once, by a snapshot before this transaction; planned once more when each transaction before it has ended.';

-- Whoever asks anew, asks from the beginning.
create function asks_anew() returns trigger
    language plpgsql as $$
begin
    new.again_after := null;
    return new;
end $$;
create trigger asks_anew before update of asked_at on replans for each row execute function asks_anew();

create or replace function replans_waiting(most bigint) returns table (org_id uuid, account_id uuid)
    language sql volatile security definer set search_path = public, pg_temp as $$
    select r.org_id, r.account_id from replans r
    where r.again_after is null or r.again_after <= pg_snapshot_xmin(pg_current_snapshot())
    order by r.again_after is not null, r.asked_at limit most for update skip locked
$$;
grant update (again_after) on replans to taskbell_worker;

create or replace function why_not_owed(ids uuid[]) returns table (delivery_id uuid, reason text, waits boolean)
    language plpgsql stable security definer set search_path = public, pg_temp rows 20 as $$
begin
    return query
    select d.id,
           case d.kind when 'reminder' then reminder_is_void(d) when 'comment' then comment_is_void(d) when 'digest' then digest_is_void(d)
                       when 'invitation' then invitation_is_void(d) end,
           d.kind in ('reminder', 'digest') and exists (
               select from replans n where n.org_id = d.org_id and n.account_id = d.account_id and n.again_after is null)
    from deliveries d where d.id = any (ids);
end $$;

-- Whoever is a member again, reinstated or invited once more, is owed again what their own reminders have to come.
create function replan_returned() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into replans (org_id, account_id) values (new.org_id, new.account_id)
    on conflict on constraint replans_pkey do update set asked_at = clock_timestamp();
    return null;
end $$;
alter function replan_returned() owner to taskbell_auth;
create trigger replan_returned after update of status on memberships
    for each row when (old.status <> 'active' and new.status = 'active') execute function replan_returned();

revoke execute on function asks_anew(), replan_returned() from public;
