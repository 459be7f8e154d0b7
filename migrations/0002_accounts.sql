-- People. An account is global; its rows are reached by the account itself, or by those it shares an organization with.

create table accounts (
    id                uuid        not null,
    email             text        not null,
    name              text        not null,
    password_hash     text,
    time_zone         text,
    email_verified_at timestamptz,
    created_at        timestamptz not null default now(),
    version           integer     not null default 1,
    constraint accounts_pkey primary key (id),
    constraint accounts_email_key unique (email),
    constraint accounts_email_check check (email = lower(email) and length(email) between 3 and 254),
    constraint accounts_name_check check (length(name) between 1 and 120),
    constraint accounts_verified_check check (email_verified_at is null or password_hash is not null)
);
comment on table accounts is 'A person: one verified e-mail, one password.';
comment on column accounts.password_hash is
    'Null until the e-mail is verified: the password of an unproved sign-up waits in verifications, so that nobody can plant a password for somebody else''s address.';

create table verifications (
    id            uuid        not null,
    account_id    uuid        not null,
    name          text        not null,
    password_hash text        not null,
    token_hash    bytea       not null,
    created_at    timestamptz not null default now(),
    expires_at    timestamptz not null,
    used_at       timestamptz,
    constraint verifications_pkey primary key (id),
    constraint verifications_token_hash_key unique (token_hash),
    constraint verifications_account_fkey foreign key (account_id) references accounts (id) on delete cascade
);
comment on table verifications is
    'A sign-up that waits for its mail. The token is HMAC(server key, purpose, id) and is stored as a hash only.';
create index verifications_account_idx on verifications (account_id);

create table sessions (
    id         uuid        not null,
    account_id uuid        not null,
    token_hash bytea       not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    constraint sessions_pkey primary key (id),
    constraint sessions_token_hash_key unique (token_hash),
    constraint sessions_account_fkey foreign key (account_id) references accounts (id) on delete cascade
);
comment on table sessions is 'A credential. It carries identity only; permissions are read on every request.';
create index sessions_account_idx on sessions (account_id);
