-- Whether a delivery is still owed, by one rule at both moments at which it is asked: when its mail is read, and at commit 2. A grant that
-- is withdrawn, a role, a project made private, an organization about to end: they cancel nothing, and count all the same.

-- Whether the due value that a delivery was counted from is the task's present one.
create function is_due_as(counted text, task tasks) returns boolean
    language sql stable parallel safe
    return task.due_on is not distinct from (counted::jsonb ->> 'date')::date
       and task.due_local is not distinct from (counted::jsonb ->> 'local')::timestamp
       and case when task.due_local is null then task.due_at is not distinct from (counted::jsonb ->> 'at')::timestamptz
                -- A zone that the zone data no longer knows was counted as UTC.
                else counted::jsonb ->> 'time_zone' in (task.due_zone, 'UTC') end;

create function reminder_is_void(owed deliveries) returns text
    language plpgsql stable as $$
declare why text := reminder_refusal(owed.org_id, owed.reminder_id, owed.account_id);
begin
    return case
        when why = 'organization_deleted' then 'the organization is being deleted'
        when why = 'cannot_see_the_project' then 'the recipient cannot see the project any more'
        when why is not null then replace(why, '_', ' ')
        when owed.due_value is not null and not exists (
            select from tasks t where t.org_id = owed.org_id and t.id = owed.task_id and is_due_as(owed.due_value, t))
            then 'due changed'
        when exists (
            select from deliveries d
            where d.org_id = owed.org_id and d.reminder_id = owed.reminder_id and d.account_id = owed.account_id
              and d.generation > owed.generation)
            then 'planned anew'
    end;
end $$;

create function comment_is_void(owed deliveries) returns text
    language plpgsql stable as $$
begin
    return (
        select case
            when c.deleted_at is not null then 'comment deleted'
            when t.deleted_at is not null then 'task deleted'
            when p.archived_at is not null then 'project archived'
            when w.state = 'muted' then 'muted'
            when exists (select from project_mutes q where q.org_id = p.org_id and q.project_id = p.id and q.account_id = owed.account_id)
                then 'project muted'
            when exists (select from notification_settings n
                         where n.org_id = owed.org_id and n.account_id = owed.account_id and not n.comments)
                then 'unsubscribed'
            when w.state is distinct from 'watching' and not exists (
                select from comment_mentions m where m.org_id = c.org_id and m.comment_id = c.id and m.account_id = owed.account_id)
                then 'the recipient does not watch the task any more'
            when o.deletion_due_at is not null then 'the organization is being deleted'
            -- 512: tasks:read.
            when permissions_of(owed.org_id, owed.account_id, p.id, p.visibility) & 512 = 0
                then 'the recipient cannot see the project any more'
        end
        from comments c
             join tasks t on t.org_id = c.org_id and t.id = c.task_id
             join projects p on p.org_id = t.org_id and p.id = t.project_id
             join organizations o on o.id = c.org_id
             left join task_watches w on w.org_id = t.org_id and w.task_id = t.id and w.account_id = owed.account_id
        where c.org_id = owed.org_id and c.id = owed.comment_id);
end $$;

create function digest_is_void(owed deliveries) returns text
    language plpgsql stable as $$
begin
    return case
        when exists (select from organizations o where o.id = owed.org_id and o.deletion_due_at is not null)
            then 'the organization is being deleted'
        when not exists (select from memberships m
                         where m.org_id = owed.org_id and m.account_id = owed.account_id and m.status = 'active')
            then 'the recipient is no active member any more'
        when not exists (select from notification_settings n
                         where n.org_id = owed.org_id and n.account_id = owed.account_id and n.digest_hour is not null)
            then 'unsubscribed'
    end;
end $$;

create function invitation_is_void(owed deliveries) returns text
    language plpgsql stable as $$
begin
    return case when not exists (
        select from invitations i join organizations o on o.id = i.org_id
        where i.org_id = owed.org_id and i.id = owed.invitation_id and i.accepted_at is null and i.revoked_at is null
          and i.declined_at is null and i.expires_at > now() and o.deletion_due_at is null)
        then 'the invitation is void, or its delivery cancelled' end;
end $$;

-- Of deliveries of any organizations: why nobody is owed it any more, or whether it waits until somebody's reminders are planned anew. All
-- of it by plans that a connection keeps, of one role: twenty take a millisecond and a half.
create function why_not_owed(ids uuid[]) returns table (delivery_id uuid, reason text, waits boolean)
    language plpgsql stable security definer set search_path = public, pg_temp rows 20 as $$
begin
    return query
    select d.id,
           case d.kind when 'reminder' then reminder_is_void(d) when 'comment' then comment_is_void(d) when 'digest' then digest_is_void(d)
                       when 'invitation' then invitation_is_void(d) end,
           d.kind in ('reminder', 'digest')
               and exists (select from replans n where n.org_id = d.org_id and n.account_id = d.account_id)
    from deliveries d where d.id = any (ids);
end $$;
alter function why_not_owed(uuid[]) owner to taskbell_auth;

revoke execute on function is_due_as(text, tasks), reminder_is_void(deliveries), comment_is_void(deliveries), digest_is_void(deliveries),
    invitation_is_void(deliveries), why_not_owed(uuid[]) from public;
grant execute on function is_due_as(text, tasks), reminder_is_void(deliveries), comment_is_void(deliveries), digest_is_void(deliveries),
    invitation_is_void(deliveries), reminder_refusal(uuid, uuid, uuid) to taskbell_auth;
grant execute on function why_not_owed(uuid[]) to taskbell_worker;

create policy openers on comment_mentions to taskbell_auth using (true);
grant select on comment_mentions to taskbell_auth;
