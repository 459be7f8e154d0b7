-- The answers to requests that carried an Idempotency-Key, for a day: a repeated request is answered with them and done once.

create table idempotency_keys (
    id           uuid        not null default gen_random_uuid(),
    org_id       uuid,
    account_id   uuid        not null,
    key_hash     bytea       not null,
    request_hash bytea       not null,
    outcome      text        not null,
    body         text,
    tag          text,
    projects     uuid[]      not null default '{}',
    permissions  bigint[]    not null default '{}',
    created_at   timestamptz not null default now(),
    constraint idempotency_keys_pkey primary key (id),
    constraint idempotency_keys_key unique nulls not distinct (account_id, org_id, key_hash),
    constraint idempotency_keys_account_fkey foreign key (account_id) references accounts (id) on delete cascade,
    constraint idempotency_keys_member_fkey foreign key (org_id, account_id) references memberships (org_id, account_id)
        on delete cascade,
    constraint idempotency_keys_outcome_check check (outcome in ('changed', 'created', 'accepted', 'done', 'shown_once')),
    constraint idempotency_keys_body_check check (
        num_nonnulls(body, tag) = case when outcome in ('changed', 'created') then 2 else 0 end),
    constraint idempotency_keys_projects_check check (cardinality(projects) = cardinality(permissions))
);
comment on table idempotency_keys is
    'Written in the transaction of the effect: there is an answer if and only if it was done. Without org_id: a route of the account.';
comment on column idempotency_keys.key_hash is 'Of method, path and key. The path without the organization, which is org_id: it has two names.';
comment on column idempotency_keys.request_hash is 'Of the body: a key is for one request.';
comment on column idempotency_keys.body is 'Null where there is none, and where it showed a secret, which is kept nowhere.';
comment on column idempotency_keys.projects is 'Where the request was let in; with permissions, one for each: asked again before it is repeated.';
-- forget_answers: what is a day old.
create index idempotency_keys_created_at_idx on idempotency_keys (created_at);
-- What goes with a membership.
create index idempotency_keys_member_idx on idempotency_keys (org_id, account_id) where org_id is not null;

alter table idempotency_keys enable row level security, force row level security;
-- What found an organization, or an invitation that is accepted, enters one on the way, and has been of none when it began.
create policy person on idempotency_keys to taskbell_app
    using (account_id = (select current_account()) and (org_id is null or org_id = (select current_org())));
create policy openers on idempotency_keys to taskbell_auth using (true);
grant select, insert, delete on idempotency_keys to taskbell_app;
grant select, delete on idempotency_keys to taskbell_auth;

-- Claims a key for this transaction, right after the opener and in the same message. Whoever holds it is alone: others are told
-- that it is still running, and learn from the row how it ended. The lock is given back after the commit can be seen. A quarter of a
-- second of patience, since what was refused gives it back a moment after the refusal is heard: its ROLLBACK goes out when the
-- connection returns to the pool, and whoever mends their request at once would be told that it is still running.
create function claim_key(key_hash text, request_hash text) returns void
    language plpgsql volatile set search_path = public, pg_temp as $$
declare
    org   constant uuid := current_org();
    whose constant text := concat_ws(' ', current_account(), coalesce(org::text, '-'), claim_key.key_hash);
    tries int := 0;
    known record;
begin
    while not pg_try_advisory_xact_lock(hashtextextended(whose, 0)) loop
        tries := tries + 1;
        if tries > 25 then
            raise exception 'still running' using errcode = 'TB409';
        end if;
        perform pg_sleep(0.01);
    end loop;
    select k.id, k.request_hash = decode(claim_key.request_hash, 'hex') as same, k.outcome,
           k.created_at <= now() - interval '24 hours' as forgotten
    into known
    from idempotency_keys k
    where k.account_id = current_account() and k.org_id is not distinct from org
      and k.key_hash = decode(claim_key.key_hash, 'hex');
    if known.id is null then
        return;
    elsif known.forgotten then
        delete from idempotency_keys k where k.id = known.id;
    elsif not known.same then
        raise exception 'the key was used for another request' using errcode = 'TB422';
    elsif known.outcome = 'shown_once' then
        raise exception 'the answer was shown once' using errcode = 'TB410';
    else
        raise exception 'the answer is known' using errcode = 'TB208';
    end if;
end $$;
revoke execute on function claim_key(text, text) from public;
grant execute on function claim_key(text, text) to taskbell_app;

-- What is a day old, and what was answered to whoever has no account any more.
create function forget_answers() returns void
    language sql volatile security definer set search_path = public, pg_temp as $$
    delete from idempotency_keys k where k.created_at <= now() - interval '24 hours';
    delete from idempotency_keys k using accounts a where a.id = k.account_id and a.deleted_at > now() - interval '25 hours';
$$;
create index accounts_deleted_idx on accounts (deleted_at) where deleted_at is not null;

alter function forget_answers() owner to taskbell_auth;
revoke execute on function forget_answers() from public;
grant execute on function forget_answers() to taskbell_worker;
