-- The openers again, now with tokens, custom roles and organizations that move or end. See 0008 for what an opener is.

create function enter(org uuid, account uuid, permissions bigint, scopes bigint, credential uuid) returns void
    language sql volatile
    begin atomic
        select set_config('app.org_id', coalesce(org::text, ''), true),
               set_config('app.account_id', coalesce(account::text, ''), true),
               set_config('app.permissions', permissions::text, true),
               set_config('app.scopes', scopes::text, true),
               set_config('app.credential', coalesce(credential::text, ''), true);
    end;
comment on function enter(uuid, uuid, bigint, bigint, uuid) is 'Sets the context of this transaction. Openers verify; this only writes.';

-- Whose credential it is, for which organization (null: any) and with which scopes (-1: all).
create function credential_of(token_hash text, out account uuid, out id uuid, out org uuid, out scopes bigint)
    language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    select s.account_id, s.id, null, -1 into account, id, org, scopes from sessions s
    where s.token_hash = decode(credential_of.token_hash, 'hex') and s.expires_at > now()
      and s.last_used_at > now() - interval '14 days';
    if account is null then
        select t.account_id, t.id, t.org_id, t.scopes into account, id, org, scopes from tokens t
        where t.token_hash = decode(credential_of.token_hash, 'hex') and t.expires_at > now() and t.revoked_at is null;
    end if;
    if account is null then
        raise exception 'no such credential' using errcode = 'TB401';
    end if;
end $$;

-- Credential, membership, organization-level permission: in this order, in one trip.
create or replace function begin_request(token_hash text, org text, wanted bigint) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    -- The bits that a project grant can give (grant_permissions('manager')).
    project_level constant bigint := 7936;
    who    record;
    tenant uuid;
    held   bigint;
    ends   boolean;
    moved  text;
begin
    select * into who from credential_of(token_hash);
    select m.org_id, permissions_of_role(m.org_id, m.role), o.deletion_due_at is not null into tenant, held, ends
    from organizations o join memberships m on m.org_id = o.id and m.account_id = who.account and m.status = 'active'
    where (case when org ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then o.id = org::uuid else o.slug = org end)
      and (who.org is null or who.org = o.id);
    if tenant is null then
        select o.slug into moved
        from former_slugs f join organizations o on o.id = f.org_id and o.deletion_due_at is null
             join memberships m on m.org_id = o.id and m.account_id = who.account and m.status = 'active'
        where f.slug = org and (who.org is null or who.org = o.id);
        if moved is not null then
            raise exception using errcode = 'TB308', message = moved;
        end if;
    end if;
    -- One that is about to be deleted is there for its owners alone, and only to be owned.
    if tenant is null or (ends and (held & wanted & 1) = 0) then
        raise exception 'not a member' using errcode = 'TB404';
    end if;
    if held & who.scopes & wanted <> wanted and not (
        -- Held in some project is enough to come in; InProject decides about the one that is asked for.
        wanted & project_level <> 0 and exists (
            select from project_grants g
            where g.org_id = tenant and g.account_id = who.account
              and (held | grant_permissions(g.role)) & who.scopes & wanted = wanted)
    ) then
        raise exception 'permission missing' using errcode = 'TB403';
    end if;
    perform enter(tenant, who.account, held & who.scopes, who.scopes, who.id);
end $$;

-- `wanted` is the scope that lets a personal token in; zero: sessions alone.
create function begin_account(token_hash text, wanted bigint) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare who record;
begin
    select * into who from credential_of(token_hash);
    if who.scopes <> -1 and (wanted = 0 or who.scopes & wanted <> wanted) then
        raise exception 'a session is needed' using errcode = 'TB403';
    end if;
    perform enter(null, who.account, 0, who.scopes, who.id);
end $$;

-- After the password was found right: the session, for thirty days at most.
create or replace function begin_session(account uuid, session uuid, token_hash text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into sessions (id, account_id, token_hash, expires_at)
    values (session, account, decode(begin_session.token_hash, 'hex'), now() + interval '30 days');
    perform enter(null, account, 0, -1, session);
end $$;

create or replace function begin_sign_up(address text, new_id uuid, display_name text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare who uuid;
begin
    insert into accounts (id, email, name) values (new_id, address, display_name) on conflict (email) do nothing;
    select id into who from accounts where email = address;
    perform enter(null, who, 0, 0, null);
end $$;

-- The account of a verified e-mail, for a stranger who asks for mail to it; none is no fault, and nothing is said.
create function begin_mailbox(address text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare who uuid;
begin
    select id into who from accounts where email = address;
    perform enter(null, who, 0, 0, null);
end $$;

-- Somebody has failed to become this account, or was slowed down: only its log is written.
create function begin_refusal(account uuid) returns void
    language sql volatile
    begin atomic select enter(null, account, 0, 0, null); end;

-- A link from a mail: the token is the credential, for one purpose.
create or replace function begin_link(token_hash text, purpose text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    hash constant bytea := decode(token_hash, 'hex');
    who  uuid;
begin
    case purpose
        when 'verification' then
            select v.account_id into who from verifications v
            where v.token_hash = hash and v.used_at is null and v.expires_at > now();
        when 'password_reset' then
            select r.account_id into who from password_resets r
            where r.token_hash = hash and r.used_at is null and r.expires_at > now();
        when 'email_old' then
            select c.account_id into who from email_changes c
            where c.old_token_hash = hash and c.old_confirmed_at is null and c.expires_at > now();
        when 'email_new' then
            select c.account_id into who from email_changes c
            where c.new_token_hash = hash and c.new_confirmed_at is null and c.expires_at > now();
        else
            null;
    end case;
    if who is null then
        raise exception 'no such link' using errcode = 'TB404';
    end if;
    perform enter(null, who, 0, 0, null);
end $$;

create or replace function begin_job(org uuid, account uuid) returns void
    language sql volatile
    begin atomic select enter(org, account, 0, 0, null); end;

drop function begin_account(text);
drop function account_of_session(text);
drop function enter(uuid, uuid, bigint);

-- Sign-in: what an e-mail's owner must know.
drop function sign_in_hash(text);
create function sign_in_claims(address text)
    returns table (account_id uuid, password_hash text, factor_id uuid, last_step bigint, generation integer, used_codes integer)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select a.id, a.password_hash, f.id, f.last_step, f.generation, f.used_codes
          from accounts a left join second_factors f on f.account_id = a.id and f.confirmed_at is not null
          where a.email = address and a.email_verified_at is not null $$;

-- Step-up: the password behind a session, asked for again.
create function password_of(token_hash text) returns table (account_id uuid, email text, password_hash text)
    language plpgsql stable security definer set search_path = public, pg_temp as $$
declare who record;
begin
    select * into who from credential_of(token_hash);
    if who.scopes <> -1 then
        raise exception 'a session is needed' using errcode = 'TB403';
    end if;
    return query select a.id, a.email, a.password_hash from accounts a where a.id = who.account;
end $$;

-- When and from where credentials were last used: written in bulk, off the path of requests.
create function stamp_uses(hashes bytea[], addresses inet[]) returns void
    language sql volatile security definer set search_path = public, pg_temp as $$
    update sessions s set last_used_at = now(), last_used_address = u.address
    from unnest(hashes, addresses) u (hash, address) where s.token_hash = u.hash
      and (s.last_used_at < now() - interval '1 minute' or s.last_used_address is null);
    update tokens t set last_used_at = now(), last_used_address = u.address
    from unnest(hashes, addresses) u (hash, address) where t.token_hash = u.hash
      and (t.last_used_at < now() - interval '1 minute' or t.last_used_at is null);
$$;

-- A new organization has its creator as owner; the rest of the transaction acts in it.
create or replace function found_organization(org uuid, slug text, name text, time_zone text) returns timestamptz
    language plpgsql security definer set search_path = public, pg_temp as $$
declare founded timestamptz := now();
begin
    insert into organizations (id, slug, name, time_zone, created_at)
    values (org, found_organization.slug, found_organization.name, found_organization.time_zone, founded);
    insert into memberships (org_id, account_id, role) values (org, current_account(), 'owner');
    perform enter(org, current_account(), role_permissions('owner'), -1, current_credential());
    return founded;
end $$;

-- The caller's organizations with what they hold in each: custom roles are rows of theirs.
create function my_organizations()
    returns table (id uuid, slug text, name text, time_zone text, role text, permissions bigint, deletion_due_at timestamptz,
                   created_at timestamptz, version integer)
    language sql stable security definer set search_path = public, pg_temp as $$
    select o.id, o.slug, o.name, o.time_zone, m.role, permissions_of_role(o.id, m.role), o.deletion_due_at, o.created_at, o.version
    from memberships m join organizations o on o.id = m.org_id
    where m.account_id = current_account() and m.status = 'active' and (o.deletion_due_at is null or m.role = 'owner')
    order by o.id
$$;

-- Where the caller may take a token to, and what they hold there: by role, or in some project. Who is being removed waits:
-- the membership stays as it is until the token is there, and then takes it along.
create function held_in(org text) returns table (org_id uuid, held bigint)
    language sql volatile security definer set search_path = public, pg_temp as $$
    select m.org_id, permissions_of_role(m.org_id, m.role)
        | coalesce((select bit_or(grant_permissions(g.role)) from project_grants g
                    where g.org_id = m.org_id and g.account_id = m.account_id), 0)
    from organizations o join memberships m on m.org_id = o.id and m.account_id = current_account() and m.status = 'active'
    where (o.slug = org or o.id::text = org) and o.deletion_due_at is null
    for share of m
$$;

-- Is somebody waited for at this address? (Sign-up by invitation.)
create function is_expected(address text) returns boolean
    language sql stable security definer set search_path = public, pg_temp as $$
    select exists (select from invitations i where i.email = address and i.accepted_at is null and i.revoked_at is null
                     and i.declined_at is null and i.expires_at > now())
        or exists (select from accounts a where a.email = address)
$$;

-- The role that an invitation gives: the one on offer while its inviter can give it, otherwise their own if that is less. Of
-- two of which neither is less the invitation gives nothing that was not offered: guests hold no more than their grants.
create function capped_role(org uuid, offered text, inviter text) returns text
    language sql stable parallel safe
    return case when permissions_of_role(org, offered) & ~permissions_of_role(org, inviter) = 0 then offered
                when permissions_of_role(org, inviter) & ~permissions_of_role(org, offered) = 0 then inviter
                else 'guest' end;

-- The signed-in account must own the invited e-mail. The role is capped by what the inviter holds at this moment, and an
-- inviter who may no longer manage members has invited nobody. The rest of the transaction acts in the organization.
drop function accept_invitation(bytea);
create function accept_invitation(hash bytea) returns table (org_id uuid, slug text, role text, invitation uuid)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    offer   invitations%rowtype;
    inviter text;
    tenant  organizations%rowtype;
begin
    -- The organization first, as in every change of its members.
    select o.* into tenant from organizations o
    where o.id = (select i.org_id from invitations i where i.token_hash = hash) and o.deletion_due_at is null
    for no key update;
    select i.* into offer from invitations i join accounts a on a.email = i.email and a.id = current_account()
    where i.token_hash = hash and i.accepted_at is null and i.revoked_at is null and i.declined_at is null
      and i.expires_at > now()
    for update of i;
    select m.role into inviter from memberships m
    where m.org_id = tenant.id and m.account_id = offer.invited_by and m.status = 'active'
      and permissions_of_role(m.org_id, m.role) & 8 = 8
    for share;
    if inviter is null then
        raise exception 'no such invitation' using errcode = 'TB404';
    end if;
    offer.role := capped_role(tenant.id, offer.role, inviter);
    -- Somebody who was removed comes back; somebody who is suspended does not.
    insert into memberships as m (org_id, account_id, role) values (tenant.id, current_account(), offer.role)
    on conflict on constraint memberships_pkey do update
        set role = excluded.role, status = 'active', created_at = now(), version = m.version + 1
        where m.status = 'removed';
    if not found then
        raise exception 'a member already' using errcode = 'unique_violation', constraint = 'memberships_pkey';
    end if;
    update invitations i set accepted_at = now() where i.org_id = tenant.id and i.id = offer.id;
    perform enter(tenant.id, current_account(), 0, current_scopes(), current_credential());
    return query select tenant.id, tenant.slug, offer.role, offer.id;
end $$;

-- Ends or pauses a membership and cuts off all that hangs on it, in this transaction: tokens, invitations, assignments, what
-- was still owed. Gives the projects that lost their last manager; the owners run them from now on. The caller has locked
-- the organization and looked whether an owner remains.
create function end_membership(org uuid, account uuid, becomes text, why text) returns setof uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
declare orphans uuid[];
begin
    update memberships m set status = becomes, version = m.version + 1 where m.org_id = org and m.account_id = account;
    update tokens t set revoked_at = now() where t.org_id = org and t.account_id = account and t.revoked_at is null;
    update invitations i set revoked_at = now()
    where i.org_id = org and i.invited_by = account and i.accepted_at is null and i.revoked_at is null and i.declined_at is null;
    delete from task_assignees a where a.org_id = org and a.account_id = account;
    -- The mails are locked first: one that reaches `sending` in this moment is sent, and is not called cancelled.
    with waiting as (
        select m.id from mails m
        where m.id in (select d.mail_id from deliveries d
                       where d.org_id = org and d.account_id = account and d.kind = 'reminder' and d.cancelled_at is null)
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
    -- Beside a change of grants (projects.rs), one waits for the other here.
    perform 1 from projects p
    where p.org_id = org and p.id in (select g.project_id from project_grants g where g.org_id = org and g.account_id = account)
    order by p.id for no key update;
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
    end if;
    return query select unnest(orphans);
end $$;

-- What the end of the caller's account would mean for each organization: `blocked` until somebody else owns it, `deleted`
-- with its last member, or `left`.
create function deletion_plan(who uuid)
    returns table (org_id uuid, slug text, name text, fate text, handed_over bigint, unassigned bigint)
    language sql stable security definer set search_path = public, pg_temp as $$
    select o.id, o.slug, o.name,
           case when not exists (select from memberships other where other.org_id = o.id and other.account_id <> who
                                   and other.status <> 'removed') then 'deleted'
                when m.role = 'owner' and m.status = 'active' and not exists (
                    select from memberships other where other.org_id = o.id and other.account_id <> who
                      and other.role = 'owner' and other.status = 'active') then 'blocked'
                else 'left' end,
           (select count(*) from project_grants g where g.org_id = o.id and g.account_id = who and g.role = 'manager'
              and not exists (select from project_grants other where other.org_id = o.id and other.project_id = g.project_id
                                and other.role = 'manager' and other.account_id <> who)),
           (select count(*) from task_assignees a join tasks t on t.org_id = a.org_id and t.id = a.task_id
            where a.org_id = o.id and a.account_id = who and t.completed_at is null)
    from memberships m join organizations o on o.id = m.org_id
    where m.account_id = who and m.status <> 'removed'
    order by o.id
$$;

-- Time-ordered, as those that Rust makes.
create function uuid_v7() returns uuid
    language sql volatile parallel safe
    return encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid;

-- What is due to disappear. Any number of workers may call it at once. An account that is the last owner of an organization
-- with other members waits until it is not.
create function purge() returns table (organizations bigint, accounts bigint, sign_ups bigint)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    leaver uuid;
    stay   record;
begin
    purge.accounts := 0;
    with gone as (
        delete from organizations o where o.id in (
            select d.id from organizations d where d.deletion_due_at <= now() for update skip locked) returning 1
    ) select count(*) into purge.organizations from gone;

    for leaver in select a.id from accounts a where a.deletion_due_at <= now() order by a.id for update skip locked loop
        perform 1 from organizations o
        where o.id in (select m.org_id from memberships m where m.account_id = leaver and m.status <> 'removed')
        order by o.id for no key update;
        if exists (select from deletion_plan(leaver) p where p.fate = 'blocked') then
            continue;
        end if;
        delete from organizations o where o.id in (select p.org_id from deletion_plan(leaver) p where p.fate = 'deleted');
        for stay in select p.org_id from deletion_plan(leaver) p loop
            insert into audit_events (id, org_id, action, subject_id, after)
            select uuid_v7(), stay.org_id, 'project.inherited', project, jsonb_build_object('by', 'owners')
            from end_membership(stay.org_id, leaver, 'removed', 'account deleted') project;
            insert into audit_events (id, org_id, action, actor_id, subject_id)
            values (uuid_v7(), stay.org_id, 'member.left', leaver, leaver);
        end loop;
        delete from sessions s where s.account_id = leaver;
        delete from second_factors f where f.account_id = leaver;
        delete from verifications v where v.account_id = leaver;
        delete from password_resets r where r.account_id = leaver;
        delete from email_changes c where c.account_id = leaver;
        delete from audit_events e where e.account_id = leaver;
        update accounts a set email = leaver || '@deleted.invalid', name = 'Deleted account', password_hash = null,
            email_verified_at = null, time_zone = null, locale = null, deletion_due_at = null, deleted_at = now(),
            version = a.version + 1
        where a.id = leaver;
        insert into audit_events (id, account_id, action, subject_id) values (uuid_v7(), leaver, 'account.deleted', leaver);
        purge.accounts := purge.accounts + 1;
    end loop;

    -- Nobody has proved to own them.
    with gone as (
        delete from accounts a where a.id in (
            select n.id from accounts n
            where n.email_verified_at is null and n.deleted_at is null and n.created_at < now() - interval '7 days'
              and not exists (select from verifications v where v.account_id = n.id and v.expires_at > now())
            for update skip locked) returning 1
    ) select count(*) into purge.sign_ups from gone;
    delete from throttles t where t.last_at < now() - interval '2 days' and t.not_before < now();
    return next;
end $$;

do $$
declare f text;
begin
    foreach f in array array[
        'credential_of(text)', 'accept_invitation(bytea)', 'begin_account(text, bigint)', 'begin_mailbox(text)', 'sign_in_claims(text)', 'password_of(text)',
        'stamp_uses(bytea[], inet[])', 'my_organizations()', 'held_in(text)', 'is_expected(text)', 'end_membership(uuid, uuid, text, text)',
        'deletion_plan(uuid)', 'purge()'
    ] loop
        execute format('alter function %s owner to taskbell_auth', f);
    end loop;
    foreach f in array array['tasks', 'task_assignees', 'projects', 'deliveries', 'mail_steps'] loop
        execute format('create policy openers on %I to taskbell_auth using (true)', f);
    end loop;
end $$;

revoke execute on all functions in schema public from public;
grant execute on function enter(uuid, uuid, bigint, bigint, uuid) to taskbell_app, taskbell_worker, taskbell_auth;
grant execute on function uuid_v7() to taskbell_auth;
grant execute on function capped_role(uuid, text, text) to taskbell_app, taskbell_auth;
grant execute on function begin_account(text, bigint), accept_invitation(bytea), begin_mailbox(text), begin_refusal(uuid), sign_in_claims(text),
    password_of(text), stamp_uses(bytea[], inet[]), my_organizations(), held_in(text), is_expected(text),
    end_membership(uuid, uuid, text, text), deletion_plan(uuid) to taskbell_app;
grant execute on function purge() to taskbell_worker;

-- taskbell_auth: what the functions above read and write.
grant update, delete         on memberships, organizations to taskbell_auth;
grant select, insert, update, delete on project_grants to taskbell_auth;
grant select, update         on projects, deliveries to taskbell_auth;
grant select                 on tasks to taskbell_auth;
grant select, delete         on task_assignees to taskbell_auth;
grant insert                 on mail_steps to taskbell_auth;
grant select, update, delete on accounts to taskbell_auth;
grant select, delete         on verifications, password_resets, email_changes, audit_events to taskbell_auth;
grant select, delete         on throttles to taskbell_auth;

-- taskbell_app: what the API newly does.
grant delete on project_grants to taskbell_app;
