-- The whole list of what runs as taskbell_auth: the openers, which verify a claim and set the context of one
-- transaction, and the few functions that cross tenants by nature. Each pins its search_path.
--
-- An opener is sent as `select begin_…(…); begin` in one message: BEGIN turns the implicit transaction into the explicit
-- one, so the context stays; a refusal raises TB401, TB403 or TB404, rolls it back and leaves a clean connection.

create function enter(org uuid, account uuid, permissions bigint) returns void
    language sql volatile
    begin atomic
        select set_config('app.org_id', coalesce(org::text, ''), true),
               set_config('app.account_id', coalesce(account::text, ''), true),
               set_config('app.permissions', permissions::text, true);
    end;
comment on function enter(uuid, uuid, bigint) is 'Sets the context of this transaction. Openers verify; this only writes.';

create function account_of_session(token_hash text) returns uuid
    language plpgsql stable security definer set search_path = public, pg_temp as $$
declare who uuid;
begin
    select s.account_id into who from sessions s
    where s.token_hash = decode(account_of_session.token_hash, 'hex') and s.expires_at > now();
    if who is null then
        raise exception 'no such credential' using errcode = 'TB401';
    end if;
    return who;
end $$;

-- Credential, membership, organization-level permission: in this order, in one trip.
create function begin_request(token_hash text, org text, wanted bigint) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    -- The bits that a project grant can give (grant_permissions('manager')).
    project_level constant bigint := 7936;
    who    uuid := account_of_session(token_hash);
    tenant uuid;
    held   bigint;
begin
    if org ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
        select m.org_id, role_permissions(m.role) into tenant, held from memberships m
        where m.org_id = org::uuid and m.account_id = who and m.status = 'active';
    else
        select m.org_id, role_permissions(m.role) into tenant, held
        from organizations o join memberships m on m.org_id = o.id and m.account_id = who and m.status = 'active'
        where o.slug = org;
    end if;
    if tenant is null then
        raise exception 'not a member' using errcode = 'TB404';
    end if;
    if held & wanted <> wanted and not (
        -- Held in some project is enough to come in; InProject decides about the one that is asked for.
        wanted & project_level <> 0 and exists (
            select from project_grants g
            where g.org_id = tenant and g.account_id = who and (held | grant_permissions(g.role)) & wanted = wanted)
    ) then
        raise exception 'permission missing' using errcode = 'TB403';
    end if;
    perform enter(tenant, who, held);
end $$;

create function begin_account(token_hash text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform enter(null, account_of_session(token_hash), 0);
end $$;

-- After the password was found right: the session, for thirty days.
create function begin_session(account uuid, session uuid, token_hash text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into sessions (id, account_id, token_hash, expires_at)
    values (session, account, decode(begin_session.token_hash, 'hex'), now() + interval '30 days');
    perform enter(null, account, 0);
end $$;

-- Finds or makes the account of an e-mail nobody has proved yet to own.
create function begin_sign_up(address text, new_id uuid, display_name text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare who uuid;
begin
    insert into accounts (id, email, name) values (new_id, address, display_name) on conflict (email) do nothing;
    select id into who from accounts where email = address;
    perform enter(null, who, 0);
end $$;

-- A link from a mail: the token is the credential, for one purpose.
create function begin_link(token_hash text, purpose text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare who uuid;
begin
    if purpose = 'verification' then
        select v.account_id into who from verifications v
        where v.token_hash = decode(begin_link.token_hash, 'hex') and v.used_at is null and v.expires_at > now();
    end if;
    if who is null then
        raise exception 'no such link' using errcode = 'TB404';
    end if;
    perform enter(null, who, 0);
end $$;

-- The worker acts for nobody: it has the tenant of the mail and no permission.
create function begin_job(org uuid, account uuid) returns void
    language sql volatile
    begin atomic select enter(org, account, 0); end;

-- Sign-in: the stored hash of an e-mail.
create function sign_in_hash(address text) returns table (account_id uuid, password_hash text)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select a.id, a.password_hash from accounts a where a.email = address and a.email_verified_at is not null $$;

-- A new organization has its creator as owner; nobody is a member of it before.
create function found_organization(org uuid, slug text, name text, time_zone text) returns timestamptz
    language plpgsql security definer set search_path = public, pg_temp as $$
declare founded timestamptz := now();
begin
    insert into organizations (id, slug, name, time_zone, created_at)
    values (org, found_organization.slug, found_organization.name, found_organization.time_zone, founded);
    insert into memberships (org_id, account_id, role) values (org, current_account(), 'owner');
    return founded;
end $$;

-- The signed-in account must own the invited e-mail. The role is capped by the inviter's own at this moment, and an
-- inviter who may no longer manage members has invited nobody.
create function accept_invitation(hash bytea) returns table (org_id uuid, slug text, role text)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    invitation invitations%rowtype;
    inviter    text;
begin
    select i.* into invitation from invitations i join accounts a on a.email = i.email and a.id = current_account()
    where i.token_hash = hash and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
    for update of i;
    select m.role into inviter from memberships m
    where m.org_id = invitation.org_id and m.account_id = invitation.invited_by and m.status = 'active'
      and role_permissions(m.role) & 8 = 8
    for share;
    if inviter is null then
        raise exception 'no such invitation' using errcode = 'TB404';
    end if;
    if role_permissions(invitation.role) & ~role_permissions(inviter) <> 0 then
        invitation.role := inviter;
    end if;
    update invitations i set accepted_at = now() where i.org_id = invitation.org_id and i.id = invitation.id;
    insert into memberships (org_id, account_id, role) values (invitation.org_id, current_account(), invitation.role);
    return query select o.id, o.slug, invitation.role from organizations o where o.id = invitation.org_id;
end $$;

-- Dispatch: ids of mails due within the horizon that have not been hinted at lately, fairly across their owners, and how
-- many milliseconds remain by this clock, the only one that decides what is due.
create function take_due(most integer, horizon interval) returns table (id uuid, wait_ms double precision)
    language sql volatile security definer set search_path = public, pg_temp as $$
    with waiting as (
        select m.id, m.next_at, row_number() over (partition by coalesce(m.org_id, m.account_id) order by m.next_at) as turn
        from mails m
        where m.state in ('scheduled', 'retry') and m.next_at <= clock_timestamp() + horizon
          and (m.queued_at is null or m.queued_at < clock_timestamp() - interval '15 seconds')
    ), chosen as (
        select m.id from mails m
        where m.id in (select w.id from waiting w order by w.turn, w.next_at limit most)
          and m.state in ('scheduled', 'retry')
          and (m.queued_at is null or m.queued_at < clock_timestamp() - interval '15 seconds')
        for update skip locked
    )
    update mails m set queued_at = clock_timestamp() from chosen where m.id = chosen.id
    returning m.id, greatest(0, extract(epoch from m.next_at - clock_timestamp()) * 1000)::double precision
$$;

alter function account_of_session(text)                    owner to taskbell_auth;
alter function begin_request(text, text, bigint)           owner to taskbell_auth;
alter function begin_account(text)                         owner to taskbell_auth;
alter function begin_sign_up(text, uuid, text)             owner to taskbell_auth;
alter function begin_link(text, text)                      owner to taskbell_auth;
alter function sign_in_hash(text)                          owner to taskbell_auth;
alter function begin_session(uuid, uuid, text)           owner to taskbell_auth;
alter function found_organization(uuid, text, text, text)  owner to taskbell_auth;
alter function accept_invitation(bytea)                    owner to taskbell_auth;
alter function take_due(integer, interval)                 owner to taskbell_auth;
alter function require_active_owner()                      owner to taskbell_auth;
