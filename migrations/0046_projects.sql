-- Projects that are counted, archived and deleted.

-- How many tasks of a project are to be done.
create index tasks_open_idx on tasks (org_id, project_id) where completed_at is null and deleted_at is null;

-- The end of an archived project: tasks, labels, comments, reminders and deliveries go with it, and so does what was sent for
-- them, which would say what was in it. The application's role can delete no other project, and no mail by itself.
create function erase_project(project uuid) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform 1 from projects p
    where p.org_id = current_org() and p.id = project and p.archived_at is not null for update;
    if not found then
        raise exception 'no such project, or not archived' using errcode = 'TB404';
    end if;
    with gone as (
        -- In one order, as everywhere where several are locked.
        select m.id from mails m
        where m.id in (select d.mail_id from tasks t join deliveries d on d.org_id = t.org_id and d.task_id = t.id
                       where t.org_id = current_org() and t.project_id = project)
        order by m.id for update
    )
    delete from mails m using gone g where m.id = g.id;
    delete from projects p where p.org_id = current_org() and p.id = project;
end $$;
alter function erase_project(uuid) owner to taskbell_auth;
revoke execute on function erase_project(uuid) from public;
grant execute on function erase_project(uuid) to taskbell_app;
revoke delete on projects from taskbell_app;
