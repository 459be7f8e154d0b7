-- Tasks that were deleted thirty days ago go for good, with what was sent for them; a tombstone tells those who follow the
-- changes of their project. Any number of workers may call it at once. A thousand at a time: the next round is a minute away.
create function purge_tasks() returns bigint
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
        delete from mails m where m.id in (select d.mail_id from deliveries d
                                           join tasks t on t.org_id = d.org_id and t.id = d.task_id where t.id = any(gone));
        insert into task_tombstones (org_id, project_id, task_id)
        select t.org_id, t.project_id, t.id from tasks t where t.id = any(gone)
        on conflict on constraint task_tombstones_pkey
        do update set changed_xid = pg_current_xact_id()::text::bigint, at = now();
        delete from tasks t where t.id = any(gone);
        total := total + cardinality(gone);
    end loop;
    return total;
end $$;

alter function purge_tasks() owner to taskbell_auth;
revoke execute on function purge_tasks() from public;
grant execute on function purge_tasks() to taskbell_worker;
grant update, delete on tasks to taskbell_auth;
grant select, insert, update on task_tombstones to taskbell_auth;
create policy openers on task_tombstones to taskbell_auth using (true);
