-- What proves a caller: sessions, personal tokens, second factors.

alter table sessions
    add column last_used_at      timestamptz not null default now(),
    add column address           inet,
    add column last_used_address inet,
    add column user_agent        text,
    add constraint sessions_user_agent_check check (length(user_agent) <= 200);
comment on column sessions.last_used_at is 'Kept to about a minute, off the path of requests; an idle session ends.';

create table tokens (
    org_id            uuid        not null,
    id                uuid        not null,
    account_id        uuid        not null,
    name              text        not null,
    token_hash        bytea       not null,
    scopes            bigint      not null,
    created_at        timestamptz not null default now(),
    expires_at        timestamptz not null,
    revoked_at        timestamptz,
    last_used_at      timestamptz,
    last_used_address inet,
    constraint tokens_pkey primary key (org_id, id),
    constraint tokens_token_hash_key unique (token_hash),
    constraint tokens_org_fkey foreign key (org_id) references organizations (id) on delete cascade,
    constraint tokens_account_fkey foreign key (org_id, account_id) references memberships (org_id, account_id),
    constraint tokens_name_check check (length(name) between 1 and 120),
    constraint tokens_scopes_check check (scopes & ~16383 = 0 and scopes <> 0)
);
comment on table tokens is
    'Personal access tokens, for one organization each. Scopes are permission bits and `me:read`; they narrow what the owner holds at each request.';
-- "My tokens", and voiding those of a member.
create index tokens_account_idx on tokens (account_id);

alter table tokens enable row level security, force row level security;
create policy tenant on tokens to taskbell_app
    using (org_id = (select current_org())
        or ((select current_org()) is null and account_id = (select current_account())));
create policy openers on tokens to taskbell_auth using (true);

create table second_factors (
    account_id   uuid        not null,
    id           uuid        not null,
    created_at   timestamptz not null default now(),
    confirmed_at timestamptz,
    last_step    bigint      not null default 0,
    generation   integer     not null default 1,
    used_codes   integer     not null default 0,
    constraint second_factors_pkey primary key (account_id),
    constraint second_factors_account_fkey foreign key (account_id) references accounts (id) on delete cascade
);
comment on table second_factors is
    'Secret and recovery codes are derived from the server key and the id: nothing here helps to sign in.';
comment on column second_factors.last_step is 'The time step of the newest code that counted: none counts twice.';
comment on column second_factors.used_codes is 'A bit for each recovery code of this generation that was used.';

alter table second_factors enable row level security, force row level security;
create policy person on second_factors to taskbell_app using (account_id = (select current_account()));
create policy openers on second_factors to taskbell_auth using (true);

grant select, update on tokens, sessions to taskbell_auth;
grant delete on sessions, second_factors to taskbell_auth;
grant select on second_factors to taskbell_auth;
grant select (id, account_id, created_at, expires_at, last_used_at, address, last_used_address, user_agent),
      update (address, user_agent), delete on sessions to taskbell_app;
grant select (org_id, id, account_id, name, scopes, created_at, expires_at, revoked_at, last_used_at, last_used_address),
      insert, update (revoked_at) on tokens to taskbell_app;
grant select, insert, update, delete on second_factors to taskbell_app;
