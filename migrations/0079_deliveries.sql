-- Deliveries: those that have gone wrong are found among many, and all of one's own are in the personal export.

-- GET …/deliveries?state=dead (common/src/deliveries/list.rs): few among all.
create index mails_troubled_idx on mails (org_id, id) where state in ('retry', 'uncertain', 'dead', 'expired');

-- For whoever manages a project and may not see where its mails go: what mail servers say has the address in it.
create function without_addresses(said text) returns text
    language sql immutable parallel safe
    return regexp_replace(said, '[^[:space:]<>]+@[^[:space:]<>]+', '…', 'g');
revoke execute on function without_addresses(text) from public;
grant execute on function without_addresses(text) to taskbell_app;

-- As before, with what reminders, digests and refused addresses have added. Of the calendar's address common/src/accounts/export.rs tells.
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
            'email_verified_at', email_verified_at, 'mail_refused_at', mail_refused_at,
            'deletion_due_at', deletion_due_at) from me),
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
                'skip_after', r.skip_after, 'snooze', r.snooze, 'created_at', r.created_at) order by r.id)
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
                'due_at', d.due_at, 'state', delivery_state(d.cancelled_at, m.state, m.frozen_at),
                'sent_at', m.sent_at) order by d.id)
            from deliveries d join mails m on m.id = d.mail_id
            where d.account_id = current_account()
              and (d.org_id is null or (d.org_id, d.task_id) in (select t.org_id, t.id from tasks_seen t)
                   -- A digest is of no one task.
                   or (d.kind = 'digest' and d.org_id in (select places.org_id from places where places.lives)))), '[]'),
        'events', coalesce((select jsonb_agg(jsonb_build_object(
                'id', id, 'at', at, 'action', action, 'credential_id', credential_id, 'subject_id', subject_id,
                'request_id', request_id, 'address', host(address), 'before', before, 'after', after) order by id)
            from audit_events where account_id = current_account()), '[]'))
$$;
