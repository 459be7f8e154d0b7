-- Roles that an organization defines for itself, beside the four that are built in. A membership holds the key of either.

create table roles (
    org_id      uuid        not null,
    key         text        not null,
    name        text        not null,
    permissions bigint      not null,
    created_at  timestamptz not null default now(),
    version     integer     not null default 1,
    constraint roles_pkey primary key (org_id, key),
    constraint roles_org_fkey foreign key (org_id) references organizations (id) on delete cascade,
    constraint roles_key_check check (key ~ '^[a-z][a-z0-9-]{0,39}$' and role_permissions(key) is null),
    constraint roles_name_check check (length(name) between 1 and 120),
    -- Bit 0 makes and unmakes owners; it cannot be given away in a custom role.
    constraint roles_permissions_check check (permissions & ~8190 = 0)
);
comment on table roles is 'Custom roles: a name for a set of permissions.';

alter table roles enable row level security, force row level security;
create policy tenant on roles to taskbell_app, taskbell_worker using (org_id = (select current_org()));
create policy openers on roles to taskbell_auth using (true);

-- Who was removed stays as a row: what they wrote still has an author.
alter table memberships
    drop constraint memberships_role_check,
    drop constraint memberships_status_check,
    add constraint memberships_status_check check (status in ('active', 'suspended', 'removed')),
    add column custom_role text generated always as (
        case when role in ('owner', 'admin', 'member', 'guest') or status = 'removed' then null else role end) stored,
    add constraint memberships_role_fkey foreign key (org_id, custom_role) references roles (org_id, key);
comment on column memberships.custom_role is 'The role where it must exist in `roles`: what keeps a role that is in use.';
-- Deleting a role: who holds it.
create index memberships_custom_role_idx on memberships (org_id, custom_role) where custom_role is not null;

alter table invitations
    add column declined_at timestamptz,
    add column token_id uuid,
    drop constraint invitations_role_check,
    drop constraint invitations_end_check,
    add constraint invitations_end_check check (num_nonnulls(accepted_at, revoked_at, declined_at) <= 1),
    add column custom_role text generated always as (
        case when role in ('owner', 'admin', 'member', 'guest') or accepted_at is not null or revoked_at is not null
                  or declined_at is not null then null else role end) stored,
    add constraint invitations_role_fkey foreign key (org_id, custom_role) references roles (org_id, key);
-- FORCE binds the owner of a table too: without this the backfill would see nothing.
alter table invitations no force row level security;
update invitations set token_id = id where token_id is null;
alter table invitations force row level security;
alter table invitations alter column token_id set not null;
comment on column invitations.token_id is 'What the mailed token is derived from; a new one at each resend voids the mails before.';
create index invitations_custom_role_idx on invitations (org_id, custom_role) where custom_role is not null;
drop index invitations_pending_key;
create unique index invitations_pending_key on invitations (org_id, email)
    where accepted_at is null and revoked_at is null and declined_at is null;
comment on index invitations_pending_key is 'One pending invitation for an e-mail in an organization.';

-- What a role gives, built in or not.
create function permissions_of_role(org uuid, role text) returns bigint
    language sql stable parallel safe
    return coalesce(role_permissions(role),
                    (select r.permissions from roles r where r.org_id = org and r.key = permissions_of_role.role), 0);

-- A personal token narrows whatever its owner holds; a session narrows nothing.
create function current_scopes() returns bigint
    language sql stable parallel safe
    return coalesce(nullif(current_setting('app.scopes', true), ''), '0')::bigint;

create function current_credential() returns uuid
    language sql stable parallel safe
    return nullif(current_setting('app.credential', true), '')::uuid;

create or replace function permissions_in(project_id uuid, visibility text) returns bigint
    language sql stable parallel safe
    return (case visibility when 'open' then current_permissions() else 0 end
            | coalesce((select grant_permissions(g.role) from project_grants g
                        where g.org_id = current_org() and g.project_id = permissions_in.project_id
                          and g.account_id = current_account()), 0)) & current_scopes();

create or replace function permissions_of(account_id uuid, project_id uuid, visibility text) returns bigint
    language sql stable parallel safe
    return coalesce((select case visibility when 'open' then permissions_of_role(m.org_id, m.role) else 0 end
                          | coalesce(grant_permissions(g.role), 0)
                     from memberships m
                     left join project_grants g on g.org_id = m.org_id and g.project_id = permissions_of.project_id
                                               and g.account_id = m.account_id
                     where m.org_id = current_org() and m.account_id = permissions_of.account_id
                       and m.status = 'active'), 0);

revoke execute on function permissions_of_role(uuid, text), current_scopes(), current_credential() from public;
grant execute on function permissions_of_role(uuid, text), current_scopes(), current_credential()
    to taskbell_app, taskbell_worker, taskbell_auth;
grant select                         on roles to taskbell_worker, taskbell_auth;
grant select, insert, update, delete on roles to taskbell_app;
