-- Invitations from the other side: the mailed token proves the invited address, so its holder may look, decline, accept with
-- the account that the address has, or begin one. Openers, see 0008 and 0017.

-- The organization's context, and the account of the invited address if it has one. Nobody has come in yet: no permission, no
-- scope.
create function begin_offer(token_hash text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    offer invitations%rowtype;
    who   uuid;
begin
    select i.* into offer from invitations i join organizations o on o.id = i.org_id and o.deletion_due_at is null
    where i.token_hash = decode(begin_offer.token_hash, 'hex')
      and i.accepted_at is null and i.revoked_at is null and i.declined_at is null and i.expires_at > now();
    if offer.id is null then
        raise exception 'no such offer' using errcode = 'TB404';
    end if;
    select a.id into who from accounts a where a.email = offer.email and a.email_verified_at is not null;
    perform enter(offer.org_id, who, 0, 0, null);
end $$;

-- For an address without an account: finds or makes the row of one, as begin_sign_up does, and enters it. accept_invitation
-- enters the organization.
create function begin_joining(token_hash text, new_id uuid, display_name text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    hash constant bytea := decode(token_hash, 'hex');
    who  uuid;
begin
    perform begin_offer(token_hash);
    if current_account() is not null then
        raise exception 'the address has an account' using errcode = 'TB404';
    end if;
    insert into accounts (id, email, name) select new_id, i.email, display_name from invitations i where i.token_hash = hash
    on conflict (email) do nothing;
    select a.id into who from accounts a join invitations i on i.email = a.email where i.token_hash = hash;
    perform enter(null, who, 0, -1, null);
end $$;

alter function begin_offer(text)               owner to taskbell_auth;
alter function begin_joining(text, uuid, text) owner to taskbell_auth;
revoke execute on all functions in schema public from public;
grant execute on function begin_offer(text), begin_joining(text, uuid, text) to taskbell_app;
