-- What people have said they want to hear goes with them, and an organization says what its tasks are reminded of.

-- As before, with what somebody wants to hear.
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
    -- Owners who inherit a project see from now on what it may tell them.
    insert into replans (org_id, account_id)
    select org, m.account_id from memberships m
    where m.org_id = org and m.role = 'owner' and m.status = 'active' and m.account_id <> account and exists (
        select from project_grants g join projects p on p.org_id = g.org_id and p.id = g.project_id
        where g.org_id = org and g.account_id = account and g.role = 'manager' and p.visibility = 'private')
    order by m.account_id on conflict on constraint replans_pkey do update set asked_at = clock_timestamp();
    delete from task_assignees a where a.org_id = org and a.account_id = account;
    -- The mails are locked first: one that reaches `sending` in this moment is sent, and is not called cancelled.
    with waiting as (
        select m.id from mails m
        where m.id in (select d.mail_id from deliveries d
                       where d.org_id = org and d.account_id = account and d.kind in ('reminder', 'comment', 'digest')
                         and d.cancelled_at is null)
          and m.state in ('scheduled', 'retry', 'claimed', 'uncertain')
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
    delete from replans r where r.org_id = org and r.account_id = account;
    if becomes = 'removed' then
        delete from project_grants g where g.org_id = org and g.account_id = account;
        -- Who is suspended watches nothing meanwhile, since they see nothing, and goes on when reinstated.
        delete from task_watches w where w.org_id = org and w.account_id = account;
        delete from notification_settings n where n.org_id = org and n.account_id = account;
        delete from project_mutes q where q.org_id = org and q.account_id = account;
    end if;
    return query select unnest(orphans);
end $$;

drop function my_organizations();
create function my_organizations()
    returns table (id uuid, slug text, name text, time_zone text, role text, permissions bigint, deletion_due_at timestamptz,
                   created_at timestamptz, version integer, default_reminders jsonb)
    language sql stable security definer set search_path = public, pg_temp as $$
    select o.id, o.slug, o.name, o.time_zone, m.role, permissions_of_role(o.id, m.role), o.deletion_due_at, o.created_at, o.version,
           o.default_reminders
    from memberships m join organizations o on o.id = m.org_id
    where m.account_id = current_account() and m.status = 'active' and (o.deletion_due_at is null or m.role = 'owner')
    order by o.id
$$;
alter function my_organizations() owner to taskbell_auth;

-- A person's own wishes, in all their organizations, for their export.
create function personal_wishes() returns jsonb
    language sql stable security definer set search_path = public, pg_temp as $$
    select jsonb_build_object(
        'notification_settings', coalesce((select jsonb_agg(jsonb_build_object(
                'org_id', n.org_id, 'reminder_hour', n.reminder_hour, 'quiet_from', n.quiet_from, 'quiet_until', n.quiet_until,
                'days_off', n.days_off, 'reminders', n.reminders, 'comments', n.comments, 'digest_hour', n.digest_hour,
                'digest_days', n.digest_days, 'default_reminders', n.default_reminders, 'updated_at', n.updated_at) order by n.org_id)
            from notification_settings n where n.account_id = current_account()), '[]'),
        'muted_projects', coalesce((select jsonb_agg(jsonb_build_object(
                'org_id', q.org_id, 'project_id', q.project_id, 'since', q.since) order by q.since, q.project_id)
            -- Of those that they still see.
            from project_mutes q
                 join memberships m on m.org_id = q.org_id and m.account_id = q.account_id and m.status = 'active'
                 join projects p on p.org_id = q.org_id and p.id = q.project_id
                 left join project_grants g on g.org_id = q.org_id and g.project_id = q.project_id and g.account_id = q.account_id
            where q.account_id = current_account()
              and (case p.visibility when 'open' then permissions_of_role(m.org_id, m.role) else 0 end
                   | coalesce(grant_permissions(g.role), 0)) <> 0), '[]'))
$$;
alter function personal_wishes() owner to taskbell_auth;

revoke execute on function my_organizations(), personal_wishes() from public;
grant execute on function my_organizations(), personal_wishes() to taskbell_app;
grant delete on notification_settings, project_mutes to taskbell_auth;
