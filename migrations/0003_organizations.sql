-- Tenants. From here on every key begins with org_id: foreign keys do not obey row security, composite keys do.

create table organizations (
    id         uuid        not null,
    slug       text        not null,
    name       text        not null,
    time_zone  text        not null default 'UTC',
    created_at timestamptz not null default now(),
    version    integer     not null default 1,
    constraint organizations_pkey primary key (id),
    constraint organizations_slug_key unique (slug),
    constraint organizations_slug_check check (slug ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'),
    constraint organizations_slug_not_an_id check (slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
    constraint organizations_name_check check (length(name) between 1 and 120)
);

create table memberships (
    org_id     uuid        not null,
    account_id uuid        not null,
    role       text        not null,
    status     text        not null default 'active',
    created_at timestamptz not null default now(),
    version    integer     not null default 1,
    constraint memberships_pkey primary key (org_id, account_id),
    constraint memberships_org_fkey foreign key (org_id) references organizations (id) on delete cascade,
    constraint memberships_account_fkey foreign key (account_id) references accounts (id),
    constraint memberships_role_check check (role in ('owner', 'admin', 'member', 'guest')),
    constraint memberships_status_check check (status in ('active', 'suspended'))
);
-- "My organizations": memberships by account.
create index memberships_account_idx on memberships (account_id);

create table invitations (
    org_id      uuid        not null,
    id          uuid        not null,
    email       text        not null,
    role        text        not null,
    invited_by  uuid        not null,
    token_hash  bytea       not null,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz not null,
    accepted_at timestamptz,
    revoked_at  timestamptz,
    constraint invitations_pkey primary key (org_id, id),
    constraint invitations_token_hash_key unique (token_hash),
    constraint invitations_org_fkey foreign key (org_id) references organizations (id) on delete cascade,
    constraint invitations_invited_by_fkey foreign key (org_id, invited_by) references memberships (org_id, account_id),
    constraint invitations_role_check check (role in ('owner', 'admin', 'member', 'guest')),
    constraint invitations_end_check check (num_nonnulls(accepted_at, revoked_at) <= 1)
);
create unique index invitations_pending_key on invitations (org_id, email)
    where accepted_at is null and revoked_at is null;
comment on index invitations_pending_key is 'One pending invitation for an e-mail in an organization.';

-- The last line of defence for "every organization has an active owner": the application locks and counts first
-- (memberships.rs), this trigger refuses the commit should that ever be forgotten.
create function require_active_owner() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform 1 from organizations where id = old.org_id for no key update;
    if found and not exists (
        select from memberships where org_id = old.org_id and role = 'owner' and status = 'active'
    ) then
        raise exception 'organization % would have no active owner', old.org_id
            using errcode = 'check_violation', constraint = 'memberships_active_owner';
    end if;
    return null;
end $$;

create constraint trigger memberships_active_owner
    after update or delete on memberships
    deferrable initially deferred
    for each row when (old.role = 'owner' and old.status = 'active')
    execute function require_active_owner();
