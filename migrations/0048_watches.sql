-- What hangs on a membership, and what is kept of a person: what they watch and have said, too. And projects before mails: whoever archives a project locks it, and
-- then the mails that it owes (common/src/projects/archive.rs); in another order the two would wait for each other.

create or replace function end_membership(org uuid, account uuid, becomes text, why text) returns setof uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
declare orphans uuid[];
begin
    update memberships m set status = becomes, version = m.version + 1 where m.org_id = org and m.account_id = account;
    update tokens t set revoked_at = now() where t.org_id = org and t.account_id = account and t.revoked_at is null;
    update invitations i set revoked_at = now()
    where i.org_id = org and i.invited_by = account and i.accepted_at is null and i.revoked_at is null and i.declined_at is null;
    -- Beside a change of grants (projects.rs), one waits for the other here.
    perform 1 from projects p
    where p.org_id = org and p.id in (select g.project_id from project_grants g where g.org_id = org and g.account_id = account)
    order by p.id for no key update;
    delete from task_assignees a where a.org_id = org and a.account_id = account;
    -- The mails are locked first: one that reaches `sending` in this moment is sent, and is not called cancelled.
    with waiting as (
        select m.id from mails m
        where m.id in (select d.mail_id from deliveries d
                       where d.org_id = org and d.account_id = account and d.kind in ('reminder', 'comment')
                         and d.cancelled_at is null)
          and m.state in ('scheduled', 'retry', 'claimed')
        -- In one order: somebody may complete one of these tasks at this moment.
        order by m.id for update
    ), cancelled as (
        update deliveries d set cancelled_at = now(), reason = why from waiting w
        where d.mail_id = w.id and d.account_id = account and d.cancelled_at is null
        returning d.id, d.mail_id
    )
    update mails m set state = 'cancelled', reason = why, lease_until = null
    where m.id in (select mail_id from cancelled)
      and not exists (select from deliveries d where d.mail_id = m.id and d.cancelled_at is null
                      and d.id not in (select id from cancelled));
    select coalesce(array_agg(g.project_id), '{}') into orphans from project_grants g
    where g.org_id = org and g.account_id = account and g.role = 'manager' and not exists (
        select from project_grants other join memberships m on m.org_id = other.org_id and m.account_id = other.account_id
        where other.org_id = org and other.project_id = g.project_id and other.role = 'manager' and m.status = 'active');
    insert into project_grants (org_id, project_id, account_id, role)
    select org, orphan, m.account_id, 'manager' from unnest(orphans) orphan, memberships m
    where m.org_id = org and m.role = 'owner' and m.status = 'active'
    on conflict on constraint project_grants_pkey do update set role = 'manager';
    if becomes = 'removed' then
        delete from project_grants g where g.org_id = org and g.account_id = account;
        -- Who is suspended watches nothing meanwhile, since they see nothing, and goes on when reinstated.
        delete from task_watches w where w.org_id = org and w.account_id = account;
    end if;
    return query select unnest(orphans);
end $$;

-- As before, with what somebody has said and watches; without what is deleted, or asks nobody any more.
create or replace function personal_export() returns jsonb
    language sql stable security definer set search_path = public, pg_temp as $$
    with me as (
        select a.* from accounts a where a.id = current_account()
    ), places as (
        -- One that is about to be deleted is there for its owners alone, and nothing in it is.
        select m.org_id, m.role, o.slug, o.name, o.deletion_due_at is null as lives, permissions_of_role(m.org_id, m.role) as held
        from memberships m join organizations o on o.id = m.org_id
        where m.account_id = current_account() and m.status = 'active' and (o.deletion_due_at is null or m.role = 'owner')
    ), seen as (
        select p.org_id, p.id, p.key, g.role as granted
        from places join projects p on p.org_id = places.org_id and places.lives
             left join project_grants g on g.org_id = p.org_id and g.project_id = p.id and g.account_id = current_account()
        -- 512: tasks:read.
        where (case p.visibility when 'open' then places.held else 0 end | coalesce(grant_permissions(g.role), 0)) & 512 <> 0
    ), tasks_seen as (
        select t.*, seen.key, exists (select from task_assignees a where a.org_id = t.org_id and a.task_id = t.id
                                        and a.account_id = current_account()) as assigned
        from tasks t join seen on seen.org_id = t.org_id and seen.id = t.project_id
        where t.deleted_at is null
    )
    select jsonb_build_object(
        'account', (select jsonb_build_object(
            'id', id, 'email', email, 'name', name, 'time_zone', time_zone, 'locale', locale, 'created_at', created_at,
            'email_verified_at', email_verified_at, 'deletion_due_at', deletion_due_at) from me),
        'second_factor', (select jsonb_build_object('enabled', count(*) > 0, 'confirmed_at', min(confirmed_at))
            from second_factors where account_id = current_account() and confirmed_at is not null),
        'sessions', coalesce((select jsonb_agg(jsonb_build_object(
                'id', id, 'created_at', created_at, 'expires_at', expires_at, 'last_used_at', last_used_at,
                'address', host(address), 'last_used_address', host(last_used_address), 'user_agent', user_agent) order by id)
            from sessions where account_id = current_account()), '[]'),
        'tokens', coalesce((select jsonb_agg(jsonb_build_object(
                'id', id, 'org_id', org_id, 'name', name, 'scopes', scopes, 'created_at', created_at, 'expires_at', expires_at,
                'revoked_at', revoked_at, 'last_used_at', last_used_at, 'last_used_address', host(last_used_address)) order by id)
            from tokens where account_id = current_account()), '[]'),
        'memberships', coalesce((select jsonb_agg(jsonb_build_object(
                'org_id', m.org_id, 'slug', p.slug, 'name', p.name, 'role', m.role, 'status', m.status, 'created_at', m.created_at)
                order by m.org_id)
            from memberships m left join places p on p.org_id = m.org_id where m.account_id = current_account()), '[]'),
        'grants', coalesce((select jsonb_agg(jsonb_build_object(
                'org_id', org_id, 'project_id', id, 'key', key, 'role', granted) order by org_id, key)
            from seen where granted is not null), '[]'),
        'tasks', coalesce((select jsonb_agg(jsonb_build_object(
                'id', id, 'org_id', org_id, 'project_id', project_id, 'key', key || '-' || number, 'title', title,
                'description', description, 'due_on', due_on, 'due_local', due_local, 'due_zone', due_zone, 'due_at', due_at,
                'created', created_by = current_account(), 'assigned', assigned, 'created_at', created_at,
                'updated_at', updated_at, 'completed_at', completed_at) order by id)
            from tasks_seen where created_by = current_account() or assigned), '[]'),
        'reminders', coalesce((select jsonb_agg(jsonb_build_object(
                'id', r.id, 'org_id', r.org_id, 'task_id', r.task_id, 'offset', r."offset", 'local', r.local_time,
                'time_zone', r.time_zone, 'at', r.at, 'to', r.recipient, 'created', r.created_by = current_account(),
                'created_at', r.created_at) order by r.id)
            from reminders r join tasks_seen t on t.org_id = r.org_id and t.id = r.task_id
            where r.removed_at is null
              and (current_account() in (r.created_by, r.account_id) or (r.recipient = 'assignees' and t.assigned))), '[]'),
        'comments', coalesce((select jsonb_agg(jsonb_build_object(
                'id', c.id, 'org_id', c.org_id, 'task_id', c.task_id, 'body', c.body, 'created_at', c.created_at,
                'edited_at', c.edited_at) order by c.id)
            from comments c join tasks_seen t on t.org_id = c.org_id and t.id = c.task_id
            where c.author_id = current_account() and c.deleted_at is null), '[]'),
        'watches', coalesce((select jsonb_agg(jsonb_build_object(
                'org_id', w.org_id, 'task_id', w.task_id, 'state', w.state, 'since', w.since) order by w.task_id)
            from task_watches w join tasks_seen t on t.org_id = w.org_id and t.id = w.task_id
            where w.account_id = current_account()), '[]'),
        'deliveries', coalesce((select jsonb_agg(jsonb_build_object(
                'id', d.id, 'org_id', d.org_id, 'kind', d.kind, 'task_id', d.task_id, 'reminder_id', d.reminder_id,
                'due_at', d.due_at, 'state', case when d.cancelled_at is null then m.state else 'cancelled' end,
                'sent_at', m.sent_at) order by d.id)
            from deliveries d join mails m on m.id = d.mail_id
            where d.account_id = current_account()
              and (d.org_id is null or (d.org_id, d.task_id) in (select t.org_id, t.id from tasks_seen t))), '[]'),
        'events', coalesce((select jsonb_agg(jsonb_build_object(
                'id', id, 'at', at, 'action', action, 'credential_id', credential_id, 'subject_id', subject_id,
                'request_id', request_id, 'address', host(address), 'before', before, 'after', after) order by id)
            from audit_events where account_id = current_account()), '[]'))
$$;

create policy openers on task_watches to taskbell_auth using (true);
create policy openers on comments to taskbell_auth using (true);
grant select, delete on task_watches to taskbell_auth;
grant select         on comments     to taskbell_auth;
-- What end_membership deletes.
create index task_watches_account_idx on task_watches (org_id, account_id);
