-- What an operator does about mail: looks, holds it back, lets it go, tries again. `taskbell admin` comes as the role that migrates and
-- acts as taskbell_owner, whom row security binds like everybody: so by these functions, which nobody else may call.

-- Which mail may go out now. The one truth for claim, take_turns and sweep.
create function may_go(kind text, held_at timestamptz, paused boolean) returns boolean
    language sql immutable parallel safe
    return held_at is null and not (paused and kind in ('reminder', 'digest'));
comment on function may_go(text, timestamptz, boolean) is
    'Not what an operator holds back, nor, while they pause reminders, a reminder or a digest.';

-- What came too late to stop a mail did not cancel it (tests/worker/folding.rs).
create function delivery_state(cancelled_at timestamptz, state text, frozen_at timestamptz) returns text
    language sql immutable parallel safe
    return case when cancelled_at is null or state = 'sent' and cancelled_at > frozen_at then state else 'cancelled' end;

-- Whom a mail goes to, as far as it is known.
create function admin_recipient(account uuid, invitation uuid) returns text
    language sql stable
    return coalesce((select a.email from accounts a where a.id = account), (select i.email from invitations i where i.id = invitation));

create function admin_org(named text) returns uuid
    language sql stable
    return (select o.id from organizations o where o.slug = named or o.id::text = named);

create function admin_deliveries(states text[], kinds text[], named_org text, recipient text, since interval, most integer)
    returns table (id uuid, kind text, state text, held_at timestamptz, org text, recipient_email text, due_at timestamptz,
                   next_at timestamptz, sent_at timestamptz, attempts integer, reason text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select f.id, f.kind, f.state, f.held_at, f.org, f.email, f.due_at, f.next_at, f.sent_at, f.attempts, f.reason
    from (
        select d.id, d.kind, delivery_state(d.cancelled_at, m.state, m.frozen_at) as state, m.held_at, o.slug as org,
               admin_recipient(d.account_id, d.invitation_id) as email, d.due_at, m.next_at, m.sent_at, m.attempts,
               coalesce(d.reason, m.reason) as reason
        from deliveries d join mails m on m.id = d.mail_id left join organizations o on o.id = d.org_id
        where (named_org is null or d.org_id = admin_org(named_org))
          and (cardinality(kinds) = 0 or d.kind = any (kinds))
          and (since is null or d.due_at >= clock_timestamp() - since)
    ) f
    where (recipient is null or f.email = lower(recipient))
      and case when cardinality(states) > 0 then f.state = any (states)
               -- What waits for its time and for nothing else is not what is looked for.
               else f.state <> 'scheduled' or f.held_at is not null or f.due_at <= clock_timestamp() end
    order by f.due_at desc, f.id desc limit most
$$;

-- What is not at its end, in all.
create function admin_waiting()
    returns table (state text, kind text, held boolean, mails bigint, due bigint, first_due timestamptz)
    language sql stable security definer set search_path = public, pg_temp as $$
    select m.state, m.kind, m.held_at is not null, count(*), count(*) filter (where m.next_at <= clock_timestamp()),
           min(m.next_at) filter (where m.next_at <= clock_timestamp())
    from mails m where m.state in ('scheduled', 'retry', 'claimed', 'sending', 'uncertain') group by 1, 2, 3 order by 1, 2, 3
$$;

-- The whole story of a mail, by its own id or that of a delivery. Not what it says: that is its reader's.
create function admin_delivery(wanted uuid) returns jsonb
    language sql stable security definer set search_path = public, pg_temp as $$
    select jsonb_build_object(
        'mail', m.id, 'kind', m.kind, 'state', m.state, 'reason', m.reason, 'held_at', m.held_at,
        'org', (select o.slug from organizations o where o.id = m.org_id),
        'due_at', m.due_at, 'next_at', m.next_at, 'expires_at', m.expires_at, 'sent_at', m.sent_at, 'attempts', m.attempts,
        'worker', m.worker, 'lease_until', m.lease_until,
        'deliveries', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'id', d.id, 'to', admin_recipient(d.account_id, d.invitation_id), 'task', d.task_id, 'due_at', d.due_at,
                'cancelled_at', d.cancelled_at, 'reason', d.reason) order by d.id), '[]')
            from deliveries d where d.mail_id = m.id),
        'steps', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'at', s.at, 'from', s.from_state, 'to', s.to_state, 'reason', s.reason) order by s.step), '[]')
            from mail_steps s where s.mail_id = m.id),
        'tries', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'started_at', t.started_at, 'ended_at', t.ended_at, 'worker', t.worker, 'phase', t.phase, 'outcome', t.outcome,
                'reply', t.reply) order by t.fence), '[]')
            from attempts t where t.mail_id = m.id))
    from mails m where m.id = coalesce((select d.mail_id from deliveries d where d.id = wanted), wanted)
$$;

-- How late what was due since then came, by the millisecond; of what did not come, its state.
create function admin_lateness(since interval) returns table (kind text, state text, late_ms bigint, deliveries bigint)
    language sql stable security definer set search_path = public, pg_temp as $$
    select f.kind, f.state, case when f.state = 'sent' then floor(extract(epoch from f.sent_at - f.due_at) * 1000)::bigint end, count(*)
    from (
        select d.kind, delivery_state(d.cancelled_at, m.state, m.frozen_at) as state, m.sent_at, d.due_at
        from deliveries d join mails m on m.id = d.mail_id
        where d.due_at between clock_timestamp() - since and clock_timestamp()
    ) f
    group by 1, 2, 3
$$;

-- One event for each log that is concerned.
create function admin_note(act text, mails uuid[], how jsonb) returns void
    language sql volatile as $$
    insert into audit_events (id, org_id, account_id, action, subject_id, after)
    select uuid_v7(), f.org_id, f.account_id, act, case when count(*) = 1 then (array_agg(f.id))[1] end,
           jsonb_build_object('by', 'operator', 'role', session_user, 'deliveries', count(*)) || how
    from (
        select d.id, m.org_id, case when m.org_id is null then m.account_id end as account_id
        from mails m join deliveries d on d.mail_id = m.id and d.cancelled_at is null where m.id = any (admin_note.mails)
    ) f
    group by f.org_id, f.account_id
$$;

-- Which mails an operator means: by their ids or those of deliveries, all of an organization, or all.
create function admin_meant(m mails, wanted uuid[], named_org text, everything boolean) returns boolean
    language sql stable
    return everything or m.id = any (wanted) or m.org_id = admin_org(named_org)
        or exists (select from deliveries d where d.mail_id = m.id and d.id = any (wanted));

create function admin_hold(wanted uuid[], named_org text) returns table (id uuid, state text)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare meant uuid[];
begin
    -- In one order: somebody may complete one of their tasks at this moment.
    select coalesce(array_agg(f.id), '{}') into meant from (
        select m.id from mails m
        where m.state in ('scheduled', 'retry', 'claimed', 'sending', 'uncertain') and m.held_at is null
          and admin_meant(m, wanted, named_org, false)
        order by m.id for update) f;
    return query update mails m set held_at = clock_timestamp(), reason = 'held back by an operator'
        where m.id = any (meant) returning m.id, m.state;
    perform admin_note('delivery.held', meant, '{}');
end $$;

create function admin_release(wanted uuid[], named_org text, everything boolean) returns table (id uuid, state text)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare meant uuid[];
begin
    select coalesce(array_agg(f.id), '{}') into meant from (
        select m.id from mails m where m.held_at is not null and admin_meant(m, wanted, named_org, everything)
        order by m.id for update) f;
    return query update mails m set held_at = null, queued_at = null, reason = null where m.id = any (meant) returning m.id, m.state;
    perform admin_note('delivery.released', meant, '{}');
end $$;

-- At once, for as long as such mail usually lives, and held back no longer: whoever asks wants it to be sent. `dead` is an end and stays
-- one: what is owed goes by a new mail, and each of the two says so.
create function admin_retry(wanted uuid[], wanted_state text, named_org text, since interval)
    returns table (id uuid, state text, becomes uuid)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare old mails%rowtype;
begin
    for old in
        select m.* from mails m
        where m.state in ('retry', 'uncertain', 'dead')
          and (admin_meant(m, wanted, null, false)
               or (m.state = wanted_state and m.due_at >= clock_timestamp() - since
                   and (named_org is null or m.org_id = admin_org(named_org))))
          and exists (select from deliveries d where d.mail_id = m.id and d.cancelled_at is null)
        order by m.id for update of m
    loop
        id := old.id;
        state := old.state;
        becomes := old.id;
        if old.state = 'dead' then
            becomes := uuid_v7();
            insert into mails (id, org_id, account_id, kind, due_at, next_at, alone, expires_at)
            values (becomes, old.org_id, old.account_id, old.kind, old.due_at, clock_timestamp(), old.alone,
                    clock_timestamp() + (old.expires_at - old.due_at));
            update deliveries d set mail_id = becomes where d.mail_id = old.id and d.cancelled_at is null;
            insert into mail_steps (mail_id, org_id, account_id, from_state, to_state, fence, reason) values
                (old.id, old.org_id, old.account_id, 'dead', 'dead', old.fence, 'an operator has it sent again, as the mail ' || becomes),
                (becomes, old.org_id, old.account_id, 'scheduled', 'scheduled', 0,
                 concat('an operator sends this in place of the mail ', old.id, ', which is dead: ' || old.reason));
            -- An address that servers refuse gets this chance.
            update accounts a set mail_refusals = 0, mail_refused_at = null where a.id = old.account_id and a.mail_refusals > 0;
        else
            update mails m set state = 'retry', next_at = clock_timestamp(), queued_at = null, held_at = null,
                   expires_at = greatest(m.expires_at, clock_timestamp() + (m.expires_at - m.due_at)),
                   reason = 'an operator has it sent again'
            where m.id = old.id;
        end if;
        perform admin_note('delivery.retried', array[becomes], jsonb_build_object('from', old.state));
        return next;
    end loop;
end $$;

do $$
declare f text;
begin
    foreach f in array array[
        'delivery_state(timestamptz, text, timestamptz)', 'admin_recipient(uuid, uuid)', 'admin_org(text)',
        'admin_note(text, uuid[], jsonb)', 'admin_meant(mails, uuid[], text, boolean)',
        'admin_deliveries(text[], text[], text, text, interval, integer)', 'admin_waiting()', 'admin_delivery(uuid)',
        'admin_lateness(interval)', 'admin_hold(uuid[], text)', 'admin_release(uuid[], text, boolean)',
        'admin_retry(uuid[], text, text, interval)'
    ] loop
        execute format('revoke execute on function %s from public', f);
        execute format('alter function %s owner to taskbell_auth', f);
        execute format('grant execute on function %s to taskbell_owner', f);
    end loop;
end $$;

revoke execute on function may_go(text, timestamptz, boolean) from public;
grant execute on function may_go(text, timestamptz, boolean) to taskbell_app, taskbell_worker, taskbell_auth;

create policy openers on attempts to taskbell_auth using (true);
grant select                                        on attempts, mail_steps to taskbell_auth;
grant insert                                        on mails                to taskbell_auth;
grant select, update (mail_refusals, mail_refused_at) on accounts           to taskbell_auth;
