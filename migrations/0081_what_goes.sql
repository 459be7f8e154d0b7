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

alter table mails add column erased_at timestamptz;
comment on column mails.erased_at is
    'Since when the account that it is for is erased: at its end, what it says is emptied (common/src/purge.rs).';
-- Those few that were on their way at that moment.
create index mails_erased_idx on mails (id) where erased_at is not null;

-- As before, with the mails that are not at their end.
create or replace function erase_account(who uuid) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    gone   constant text := who || '@deleted.invalid';
    theirs uuid[];
begin
    delete from sessions s where s.account_id = who;
    delete from second_factors f where f.account_id = who;
    delete from verifications v where v.account_id = who;
    delete from password_resets r where r.account_id = who;
    delete from email_changes c where c.account_id = who;
    delete from audit_events e where e.account_id = who;
    -- What was sent to them alone, and the words of what was sent to them as a member: both name them.
    delete from mails m where m.account_id = who and m.org_id is null;
    select array_agg(l.id) into theirs from (
        select m.id from mails m
        where m.id in (select d.mail_id from deliveries d join memberships s on s.org_id = d.org_id and s.account_id = d.account_id
                       where s.account_id = who)
        order by m.id for update) l;
    update mails m set content = null, frozen_at = null
    where m.id = any (theirs) and m.content is not null and m.state in ('sent', 'dead', 'cancelled', 'expired');
    -- One that is on its way says it until it is there, or nobody knows.
    update mails m set erased_at = now()
    where m.id = any (theirs) and m.state not in ('sent', 'dead', 'cancelled', 'expired');
    -- Answered with this account; those that wait are for the address, which others may own one day.
    update invitations i set email = gone from accounts a where a.id = who and i.email = a.email and i.accepted_at is not null;
    update accounts a set email = gone, name = 'Deleted account', password_hash = null, email_verified_at = null,
        time_zone = null, locale = null, deletion_due_at = null, deleted_at = now(), version = a.version + 1
    where a.id = who;
    insert into audit_events (id, account_id, action, subject_id) values (uuid_v7(), who, 'account.deleted', who);
end $$;
