-- What goes for good takes only its own along: a mail may tell of tasks of many projects, and of some that stay.

-- Deliveries, the mails that carry nothing else, and their part in what the other mails say. Whoever calls it holds what is owed.
create function erase_deliveries(gone uuid[]) returns void
    language plpgsql volatile as $$
declare
    held uuid[] := '{}';
    more uuid[];
begin
    -- In one order, as everywhere where several are locked; and once more, where one was folded into another mail meanwhile.
    loop
        select array_agg(l.id) into more from (
            select m.id from mails m
            where m.id in (select d.mail_id from deliveries d where d.id = any (gone)) and m.id <> all (held)
            order by m.id for update) l;
        exit when more is null;
        held := held || more;
    end loop;
    delete from mails m where m.id = any (held)
        and not exists (select from deliveries d where d.mail_id = m.id and d.id <> all (gone));
    -- Of these there are only reminders. The next try leaves out what is not owed; this one leaves nothing to be read.
    update mails m set content = m.content || jsonb_build_object(
        'deliveries', (
            select coalesce(jsonb_agg(e.one order by e.place), '[]')
            from jsonb_array_elements(m.content -> 'deliveries') with ordinality e (one, place)
            where (e.one #>> '{}')::uuid <> all (gone)),
        'about', jsonb_build_object('kind', 'reminders', 'reminders', (
            select coalesce(jsonb_agg(r.one order by r.place), '[]')
            from jsonb_array_elements(coalesce(m.content #> '{about,reminders}', jsonb_build_array(m.content -> 'about')))
                 with ordinality r (one, place)
            where (r.one ->> 'delivery')::uuid <> all (gone))))
    where m.id = any (held) and m.content is not null;
    delete from deliveries d where d.id = any (gone);
end $$;
alter function erase_deliveries(uuid[]) owner to taskbell_auth;
revoke execute on function erase_deliveries(uuid[]) from public;
grant delete on deliveries to taskbell_auth;

-- As before, but for the mails that tell of other projects, too.
create or replace function erase_project(project uuid) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform 1 from projects p
    where p.org_id = current_org() and p.id = project and p.archived_at is not null for update;
    if not found then
        raise exception 'no such project, or not archived' using errcode = 'TB404';
    end if;
    perform erase_deliveries(array(
        select d.id from tasks t join deliveries d on d.org_id = t.org_id and d.task_id = t.id
        where t.org_id = current_org() and t.project_id = project));
    delete from projects p where p.org_id = current_org() and p.id = project;
end $$;

-- As before, but for the mails that tell of other tasks, too.
create or replace function purge_tasks() returns bigint
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    gone  uuid[];
    total bigint := 0;
begin
    -- Parts first, in a round of their own: a task cannot go before them.
    for round in 1..2 loop
        select coalesce(array_agg(due.id), '{}') into gone from (
            select t.id from tasks t
            where t.deleted_at < now() - interval '30 days'
              and not exists (select from tasks part where part.org_id = t.org_id and part.parent_id = t.id)
            order by t.deleted_at limit 1000 for update skip locked) due;
        perform erase_deliveries(array(
            select d.id from deliveries d join tasks t on t.org_id = d.org_id and t.id = d.task_id where t.id = any(gone)));
        insert into task_tombstones (org_id, project_id, task_id)
        select t.org_id, t.project_id, t.id from tasks t where t.id = any(gone)
        on conflict on constraint task_tombstones_pkey
        do update set changed_xid = pg_current_xact_id()::text::bigint, at = now();
        delete from tasks t where t.id = any(gone);
        total := total + cardinality(gone);
    end loop;
    return total;
end $$;
