-- When people are told: what a reminder owes to whom, and planning it anew when somebody's zone, hours or wishes have changed.

alter table deliveries add column due_value text;
comment on column deliveries.due_value is
    'The due value that an offset was counted from: what was sent for one is not sent for it again when its reader''s zone changes.';
alter table reminders add column of_assignees boolean not null default false;
comment on column reminders.of_assignees is
    'Of one person, who is told by it as an assignee of the task and only while they are one: what was for the assignees, put off.';
-- A person's own reminders, when they are planned anew.
create index reminders_account_idx on reminders (org_id, account_id) where account_id is not null and removed_at is null;
-- What end_membership deletes.
create index project_mutes_account_idx on project_mutes (org_id, account_id);

-- Why somebody is told nothing by a reminder, whatever its time: asked when it is planned, when it is looked at, and at the last
-- moment before its mail goes out. Null: they are told.
create function reminder_refusal(org uuid, reminder uuid, account uuid) returns text
    language plpgsql stable as $$
begin
    return (
        select case
            when r.removed_at is not null then 'reminder_removed'
            when t.completed_at is not null then 'task_completed'
            when t.deleted_at is not null then 'task_deleted'
            when p.archived_at is not null then 'project_archived'
            when o.deletion_due_at is not null then 'organization_deleted'
            when (r.recipient = 'assignees' or r.of_assignees) and not exists (
                select from task_assignees s where s.org_id = r.org_id and s.task_id = t.id and s.account_id = account)
                then 'unassigned'
            -- 512: tasks:read. Nothing is held by whoever is suspended or removed.
            when permissions_of(org, account, p.id, p.visibility) & 512 = 0 then 'cannot_see_the_project'
            when exists (select from task_watches w where w.org_id = r.org_id and w.task_id = t.id and w.account_id = account
                           and w.state = 'muted') then 'muted'
            when exists (select from project_mutes q where q.org_id = r.org_id and q.project_id = p.id and q.account_id = account)
                then 'project_muted'
            when exists (select from notification_settings n where n.org_id = r.org_id and n.account_id = account and not n.reminders)
                then 'unsubscribed'
        end
        from reminders r
             join tasks t on t.org_id = r.org_id and t.id = r.task_id
             join projects p on p.org_id = t.org_id and p.id = t.project_id
             join organizations o on o.id = r.org_id
        where r.org_id = org and r.id = reminder);
end $$;

-- The rules of some tasks, each with everybody whom it tells, and by which clock they live.
create function reminder_shares(tasks uuid[]) returns table (
    task_id uuid, due_on date, due_local timestamp, due_zone text, due_at timestamptz, generation integer,
    reminder_id uuid, "offset" text, local_time timestamp, time_zone text, at timestamptz, skip_after text, for_assignees boolean,
    account_id uuid, zone text, reminder_hour time, quiet_from time, quiet_until time, days_off smallint, refusal text)
    language sql stable as $$
    select t.id, t.due_on, t.due_local, t.due_zone, t.due_at, t.generation,
           r.id, r."offset", r.local_time, r.time_zone, r.at, r.skip_after,
           r.recipient = 'assignees' or r.of_assignees,
           told.account_id, coalesce(a.time_zone, o.time_zone), n.reminder_hour, n.quiet_from, n.quiet_until, coalesce(n.days_off, 0::smallint),
           reminder_refusal(t.org_id, r.id, told.account_id)
    from tasks t
         join organizations o on o.id = t.org_id
         join reminders r on r.org_id = t.org_id and r.task_id = t.id and r.removed_at is null
         join lateral (
             select r.account_id where r.recipient = 'account'
             union all
             select s.account_id from task_assignees s
             where s.org_id = t.org_id and s.task_id = t.id and r.recipient = 'assignees'
         ) told on true
         join accounts a on a.id = told.account_id
         left join notification_settings n on n.org_id = t.org_id and n.account_id = told.account_id
    where t.org_id = current_org() and t.id = any(tasks)
$$;

-- What somebody is owed by a reminder, or was: the delivery of its last planning.
create function last_delivery(reminder uuid, account uuid) returns jsonb
    language sql stable as $$
    select jsonb_build_object(
        'account_id', d.account_id, 'delivery_id', d.id, 'due_at', d.due_at,
        'state', case when d.cancelled_at is null or m.state = 'sent' and d.cancelled_at > m.frozen_at then m.state else 'cancelled' end,
        'reason', coalesce(d.reason, m.reason),
        'due_value', d.due_value, 'frozen', m.frozen_at is not null)
    from deliveries d join mails m on m.id = d.mail_id
    where d.org_id = current_org() and d.reminder_id = reminder and d.account_id = account
    order by d.generation desc limit 1
$$;

-- What somebody was told by a reminder last: its mail went out for them, or is on its way.
create function last_told(reminder uuid, account uuid) returns jsonb
    language sql stable as $$
    select jsonb_build_object('due_value', d.due_value)
    from deliveries d join mails m on m.id = d.mail_id
    where d.org_id = current_org() and d.reminder_id = reminder and d.account_id = account
      and m.state in ('sending', 'sent', 'uncertain') and (d.cancelled_at is null or d.cancelled_at > m.frozen_at)
    order by d.generation desc limit 1
$$;

-- Takes back deliveries, each for its reason, also of mails that are `on_their_way` if that is said, whose repeat nobody is owed then; a
-- mail that no delivery needs any more goes with them. Gives those that were taken back. The mails are locked first, in one order: one that
-- reaches `sending` in this moment is sent, and is not called cancelled.
create function cancel_deliveries(ids uuid[], reasons text[], on_their_way boolean) returns setof uuid
    language sql volatile as $$
    with meant as (
        select d.id, d.mail_id, i.reason from unnest(ids, reasons) as i (id, reason) join deliveries d on d.id = i.id
        where d.cancelled_at is null
    ), waiting as (
        select m.id from mails m
        where m.id in (select mail_id from meant)
          and (m.state in ('scheduled', 'retry', 'claimed') or on_their_way and m.state in ('sending', 'uncertain'))
        order by m.id for update
    ), cancelled as (
        update deliveries d set cancelled_at = clock_timestamp(), reason = i.reason from waiting w, meant i
        where i.mail_id = w.id and d.id = i.id and d.cancelled_at is null
        returning d.id, d.mail_id, d.reason
    ), ended as (
        update mails m set state = 'cancelled', reason = (select min(c.reason) from cancelled c where c.mail_id = m.id), lease_until = null
        where m.id in (select mail_id from cancelled) and m.state <> 'sending'
          and not exists (select from deliveries d where d.mail_id = m.id and d.cancelled_at is null
                          and d.id not in (select id from cancelled))
    )
    select id from cancelled
$$;

-- The caller's reminders are to be planned anew, in all their organizations: they live by another clock.
create function ask_replans() returns void
    language sql volatile security definer set search_path = public, pg_temp as $$
    insert into replans (org_id, account_id)
    select m.org_id, m.account_id from memberships m where m.account_id = current_account() and m.status = 'active' order by m.org_id
    -- Not "do nothing": whoever plans them at this moment may have read the old clock, and is waited for.
    on conflict on constraint replans_pkey do update set asked_at = clock_timestamp()
$$;

-- Whose turn it is, those left out whom another worker has in hand.
create function replans_waiting(most bigint) returns table (org_id uuid, account_id uuid)
    language sql volatile security definer set search_path = public, pg_temp as $$
    select r.org_id, r.account_id from replans r order by r.asked_at limit most for update skip locked
$$;

-- Takes somebody's turn in the organization of the transaction, and holds what is planned for them: their membership, the projects and
-- the tasks, in the order of all who lock them. Gives the tasks; null when it is not their turn any more.
create function take_replan(account uuid) returns uuid[]
    language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare concerned uuid[];
begin
    perform 1 from memberships m where m.org_id = current_org() and m.account_id = account for share;
    perform 1 from replans r where r.org_id = current_org() and r.account_id = account for update skip locked;
    if not found then
        return null;
    end if;
    select coalesce(array_agg(t.id), '{}') into concerned from tasks t
    where t.org_id = current_org() and t.completed_at is null and t.deleted_at is null and t.id in (
        select r.task_id from reminders r
        where r.org_id = current_org() and r.account_id = account and r.removed_at is null
        union all
        select r.task_id from task_assignees s join reminders r on r.org_id = s.org_id and r.task_id = s.task_id
        where s.org_id = current_org() and s.account_id = account and r.recipient = 'assignees' and r.removed_at is null);
    perform 1 from projects p
    where p.org_id = current_org()
      and p.id in (select t.project_id from tasks t where t.org_id = current_org() and t.id = any(concerned))
    order by p.id for key share;
    perform 1 from tasks t where t.org_id = current_org() and t.id = any(concerned)
    order by t.parent_id is null, t.id for no key update;
    return concerned;
end $$;

do $$
declare f text;
begin
    foreach f in array array['ask_replans()', 'replans_waiting(bigint)', 'take_replan(uuid)'] loop
        execute format('alter function %s owner to taskbell_auth', f);
    end loop;
end $$;
revoke execute on function reminder_refusal(uuid, uuid, uuid), reminder_shares(uuid[]), last_delivery(uuid, uuid),
    last_told(uuid, uuid), cancel_deliveries(uuid[], text[], boolean), ask_replans(), replans_waiting(bigint), take_replan(uuid) from public;
grant execute on function reminder_refusal(uuid, uuid, uuid), reminder_shares(uuid[]), last_delivery(uuid, uuid),
    last_told(uuid, uuid), cancel_deliveries(uuid[], text[], boolean) to taskbell_app, taskbell_worker;
grant execute on function ask_replans() to taskbell_app;
grant execute on function replans_waiting(bigint), take_replan(uuid) to taskbell_worker;
grant update (asked_at) on replans to taskbell_app;
grant update            on replans to taskbell_auth;
-- Row locks only: whoever is told is kept as they are while it is planned.
grant update (version)  on memberships to taskbell_worker;
