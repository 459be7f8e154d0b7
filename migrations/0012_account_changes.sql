-- What happens to an account after its sign-up: a lost password, another address, an end.

alter table accounts
    add column locale          text,
    add column deletion_due_at timestamptz,
    add column deleted_at      timestamptz,
    add constraint accounts_locale_check check (locale ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$' and length(locale) <= 35);
comment on column accounts.deletion_due_at is 'When the account will be deleted; until then its owner may change their mind.';
comment on column accounts.deleted_at is 'The row stays, emptied: it is the author of what others still read.';
-- purge: deletions that are due.
create index accounts_deletion_idx on accounts (deletion_due_at) where deletion_due_at is not null;

create table password_resets (
    id         uuid        not null,
    account_id uuid        not null,
    token_hash bytea       not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at    timestamptz,
    constraint password_resets_pkey primary key (id),
    constraint password_resets_token_hash_key unique (token_hash),
    constraint password_resets_account_fkey foreign key (account_id) references accounts (id) on delete cascade
);
create index password_resets_account_idx on password_resets (account_id);

create table email_changes (
    id               uuid        not null,
    account_id       uuid        not null,
    new_email        text        not null,
    old_token_hash   bytea       not null,
    new_token_hash   bytea       not null,
    created_at       timestamptz not null default now(),
    expires_at       timestamptz not null,
    old_confirmed_at timestamptz,
    new_confirmed_at timestamptz,
    constraint email_changes_pkey primary key (id),
    constraint email_changes_old_token_hash_key unique (old_token_hash),
    constraint email_changes_new_token_hash_key unique (new_token_hash),
    constraint email_changes_email_check check (new_email = lower(new_email) and length(new_email) between 3 and 254),
    constraint email_changes_account_fkey foreign key (account_id) references accounts (id) on delete cascade
);
comment on table email_changes is 'Counts when both the old and the new address have confirmed it.';
create index email_changes_account_idx on email_changes (account_id);

do $$
declare t text;
begin
    foreach t in array array['password_resets', 'email_changes'] loop
        execute format('alter table %I enable row level security, force row level security', t);
        execute format('create policy person on %I to taskbell_app, taskbell_worker using (account_id = (select current_account()))', t);
        execute format('create policy openers on %I to taskbell_auth using (true)', t);
    end loop;
end $$;

grant select on password_resets, email_changes to taskbell_auth;
grant select, insert, update on password_resets, email_changes to taskbell_app;
grant select (id, account_id, expires_at, used_at) on password_resets to taskbell_worker;
grant select (id, account_id, new_email, expires_at, old_confirmed_at, new_confirmed_at) on email_changes to taskbell_worker;
grant select (locale, deletion_due_at, deleted_at), update (locale, deletion_due_at, email) on accounts to taskbell_app;
grant select (locale, deleted_at) on accounts to taskbell_worker;
