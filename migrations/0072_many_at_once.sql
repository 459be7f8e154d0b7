-- Many mails at once: what a worker does to one mail it does to many in one statement, and many organizations take turns.

-- The log is written once for each statement, not for each row. Legality is still asked of each row, before anything is written.
create or replace function log_mail_step() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and tg_level = 'ROW' then
        raise exception 'a mail cannot go from % to %', old.state, new.state
            using errcode = 'check_violation', constraint = 'mails_step';
    end if;
    insert into mail_steps (mail_id, org_id, account_id, from_state, to_state, fence, reason)
    select n.id, n.org_id, n.account_id, o.state, n.state, n.fence, n.reason
    from after_it n join before_it o on o.id = n.id
    where o.state <> n.state;
    return null;
end $$;
drop trigger mails_step on mails;
create trigger mails_step before update of state on mails
    for each row when (old.state <> new.state and not step_is_legal(old.state, new.state))
    execute function log_mail_step();
create trigger mails_steps after update on mails
    referencing old table as before_it new table as after_it
    for each statement execute function log_mail_step();

-- Commit 2 of many mails, and of what is folded into them: the last moment to cancel. First the rows are locked, then a statement
-- that begins after that looks at them: a cancellation that was on its way is then seen. Without patience, what somebody else has
-- locked is left out of the answer.
create function mark_sending(leads uuid[], fences integer[], contents jsonb[],
                             folded uuid[], folded_fences integer[], folded_into uuid[], patient boolean)
    returns table (mail_id uuid, marked boolean)
    language plpgsql volatile set search_path = public, pg_temp as $$
#variable_conflict use_column
declare locked uuid[];
begin
    if patient then
        select coalesce(array_agg(l.id), '{}') into locked
        from (select m.id from mails m where m.id = any (leads || folded) order by m.id for update) l;
    else
        select coalesce(array_agg(l.id), '{}') into locked
        from (select m.id from mails m where m.id = any (leads || folded) order by m.id for update skip locked) l;
    end if;
    return query
    with members as (
        select f.id, f.fence, f.into_id from unnest(folded, folded_fences, folded_into) f (id, fence, into_id)
    ), asked as (
        select a.id, a.fence, a.content from unnest(leads, fences, contents) a (id, fence, content)
        where a.id = any (locked)
          and not exists (select from members f where f.into_id = a.id and f.id <> all (locked))
    ), parts as (
        -- What is still this worker's: the mail, and those that are folded into it.
        select m.id, m.id as lead, m.expires_at from asked a join mails m on m.id = a.id
        where m.fence = a.fence and m.state = 'claimed' and m.lease_until > clock_timestamp()
        union all
        select m.id, f.into_id, m.expires_at from members f join mails m on m.id = f.id
        where m.fence = f.fence and m.state = 'claimed'
    ), live as (
        select p.lead, array_agg(d.id order by d.id) as ids
        from parts p join deliveries d on d.mail_id = p.id and d.cancelled_at is null
        group by p.lead
    ), told as (
        select a.id, a.content, l.ids
        from asked a join live l on l.lead = a.id
        where exists (select from parts p where p.id = a.id)
          and l.ids = (select array_agg(e.id::uuid order by e.id::uuid) from jsonb_array_elements_text(a.content -> 'deliveries') e (id))
    ), void as materialized (
        -- Not all that ends what is owed has cancelled it.
        select w.delivery_id from why_not_owed(array(select unnest(t.ids) from told t)) w where w.reason is not null or w.waits
    ), good as (
        select t.id, t.content, (select max(p.expires_at) from parts p where p.lead = t.id) as expires_at
        from told t where not exists (select from void v where v.delivery_id = any (t.ids))
    ), moved as (
        update deliveries d set mail_id = p.lead from parts p join good g on g.id = p.lead
        where p.id <> p.lead and d.mail_id = p.id and d.cancelled_at is null
    ), sent as (
        update mails m set state = case when m.id = p.lead then 'sending' else 'cancelled' end,
               lease_until = case when m.id = p.lead then clock_timestamp() + interval '30 seconds' end,
               reason = case when m.id = p.lead then m.reason else 'folded' end,
               content = case when m.id = p.lead then g.content else m.content end,
               frozen_at = case when m.id = p.lead then clock_timestamp() else m.frozen_at end,
               expires_at = case when m.id = p.lead then g.expires_at else m.expires_at end
        from parts p join good g on g.id = p.lead where m.id = p.id
    )
    select a.id, exists (select from good g where g.id = a.id) from asked a;
end $$;
revoke execute on function mark_sending(uuid[], integer[], jsonb[], uuid[], integer[], uuid[], boolean) from public;
grant execute on function mark_sending(uuid[], integer[], jsonb[], uuid[], integer[], uuid[], boolean) to taskbell_worker;

-- What is due, in turn across organizations (accounts, of mails that belong to none), and marked as handed out. What was handed out
-- less than `again` ago is not. Usually less is due than a round takes, and nobody's turn matters.
create function take_turns(most integer, horizon interval, again interval, paused boolean)
    returns table (id uuid, wait_ms double precision)
    language plpgsql volatile security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    until  timestamptz := clock_timestamp() + horizon;
    before timestamptz := clock_timestamp() - again;
    chosen uuid[];
    fair   uuid[];
begin
    select array_agg(w.id order by w.next_at) into chosen from (
        select m.id, m.next_at from mails m
        where m.state in ('scheduled', 'retry') and m.next_at <= until and (m.queued_at is null or m.queued_at < before)
          and may_go(m.kind, m.held_at, paused)
        order by m.next_at limit most + 1) w;
    if cardinality(chosen) > most then
        -- From one owner to the next by the index, past whatever waits between them.
        with recursive owners as (
            (select coalesce(m.org_id, m.account_id) as owner from mails m
             where m.state in ('scheduled', 'retry') order by coalesce(m.org_id, m.account_id) limit 1)
            union all
            select (select coalesce(m.org_id, m.account_id) from mails m
                    where m.state in ('scheduled', 'retry') and coalesce(m.org_id, m.account_id) > o.owner
                    order by coalesce(m.org_id, m.account_id) limit 1)
            from owners o where o.owner is not null
        ), hungry as materialized (
            -- Pairs are compared, so that no other index looks as good as the one with both: past 100,000 mails of somebody else.
            select o.owner from owners o cross join lateral (
                select from mails m
                where m.state in ('scheduled', 'retry')
                  and (coalesce(m.org_id, m.account_id), m.next_at) >= (o.owner, '-infinity')
                  and (coalesce(m.org_id, m.account_id), m.next_at) <= (o.owner, until)
                order by coalesce(m.org_id, m.account_id), m.next_at limit 1) due
            where o.owner is not null
        ), share as (
            select greatest(1, ceil(2.0 * most / greatest(1, count(*))))::bigint as each from hungry
        )
        select array_agg(r.id order by r.turn, r.next_at) into fair from (
            select t.id, t.next_at, t.turn from hungry h cross join lateral (
                select w.id, w.next_at, row_number() over (order by w.next_at) as turn from (
                    select m.id, m.next_at from mails m
                    where m.state in ('scheduled', 'retry')
                      and (coalesce(m.org_id, m.account_id), m.next_at) >= (h.owner, '-infinity')
                      and (coalesce(m.org_id, m.account_id), m.next_at) <= (h.owner, until)
                      and (m.queued_at is null or m.queued_at < before) and may_go(m.kind, m.held_at, paused)
                    order by coalesce(m.org_id, m.account_id), m.next_at limit (select each from share)) w) t
            order by t.turn, t.next_at limit most) r;
        -- Places that are left are for whoever came first.
        chosen := (fair || array(select c.id from unnest(chosen) c (id) where c.id <> all (fair)))[1:most];
    end if;
    return query
    with free as (
        select m.id from mails m
        where m.id = any (chosen) and m.state in ('scheduled', 'retry') and (m.queued_at is null or m.queued_at < before)
        for update skip locked
    ), taken as (
        update mails m set queued_at = clock_timestamp() from free where m.id = free.id
        returning m.id, m.next_at
    )
    select t.id, greatest(0, extract(epoch from t.next_at - clock_timestamp()) * 1000)::double precision
    from taken t order by array_position(chosen, t.id);
end $$;
alter function take_turns(integer, interval, interval, boolean) owner to taskbell_auth;
revoke execute on function take_turns(integer, interval, interval, boolean) from public;
grant execute on function take_turns(integer, interval, interval, boolean) to taskbell_app, taskbell_worker;
-- What an owner waits for, by time.
create index mails_turns_idx on mails (coalesce(org_id, account_id), next_at) where state in ('scheduled', 'retry');

-- Folding: what waits for a person in an organization, and what was sent to them of late.
create index mails_crowd_idx on mails (org_id, account_id, next_at) where kind = 'reminder' and state in ('scheduled', 'retry');
create index mails_lately_idx on mails (org_id, account_id, sent_at) where kind = 'reminder' and state = 'sent';

-- As before, with a plan that a connection keeps: a function in SQL that holds a subquery is planned anew by each statement that
-- calls it, which was most of what reading twenty mails took (7 ms; without it 1).
create or replace function permissions_of_role(org uuid, role text) returns bigint
    language plpgsql stable parallel safe as $$
begin
    return coalesce(role_permissions(permissions_of_role.role),
                    (select r.permissions from roles r where r.org_id = org and r.key = permissions_of_role.role), 0);
end $$;

create function permissions_of(org uuid, account_id uuid, project_id uuid, visibility text) returns bigint
    language plpgsql stable parallel safe as $$
begin
    return coalesce((select case permissions_of.visibility when 'open' then permissions_of_role(m.org_id, m.role) else 0 end
                          | coalesce(grant_permissions(g.role), 0)
                     from memberships m
                     left join project_grants g on g.org_id = m.org_id and g.project_id = permissions_of.project_id
                                               and g.account_id = m.account_id
                     where m.org_id = org and m.account_id = permissions_of.account_id
                       and m.status = 'active'), 0);
end $$;
create or replace function permissions_of(account_id uuid, project_id uuid, visibility text) returns bigint
    language sql stable parallel safe
    return permissions_of(current_org(), account_id, project_id, visibility);
revoke execute on function permissions_of(uuid, uuid, uuid, text) from public;
grant execute on function permissions_of(uuid, uuid, uuid, text) to taskbell_app, taskbell_worker, taskbell_auth;
