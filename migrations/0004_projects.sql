create table projects (
    org_id      uuid        not null,
    id          uuid        not null,
    key         text        not null,
    name        text        not null,
    visibility  text        not null default 'open',
    last_number integer     not null default 0,
    created_by  uuid        not null,
    created_at  timestamptz not null default now(),
    archived_at timestamptz,
    version     integer     not null default 1,
    constraint projects_pkey primary key (org_id, id),
    constraint projects_org_fkey foreign key (org_id) references organizations (id) on delete cascade,
    constraint projects_created_by_fkey foreign key (org_id, created_by) references memberships (org_id, account_id),
    constraint projects_key_key unique (org_id, key),
    constraint projects_key_check check (key ~ '^[A-Z][A-Z0-9]{1,9}$'),
    constraint projects_name_check check (length(name) between 1 and 120),
    constraint projects_visibility_check check (visibility in ('open', 'private'))
);
comment on column projects.last_number is 'The number of the newest task: KEY-1, KEY-2, …';

create table project_grants (
    org_id     uuid        not null,
    project_id uuid        not null,
    account_id uuid        not null,
    role       text        not null,
    created_at timestamptz not null default now(),
    constraint project_grants_pkey primary key (org_id, project_id, account_id),
    constraint project_grants_project_fkey foreign key (org_id, project_id) references projects (org_id, id) on delete cascade,
    constraint project_grants_account_fkey foreign key (org_id, account_id) references memberships (org_id, account_id) on delete cascade,
    constraint project_grants_role_check check (role in ('manager', 'editor', 'commenter', 'viewer'))
);
comment on table project_grants is
    'Adds to what the organization role gives, and is the only way into a private project.';
-- begin_request: "does any grant of this member hold the permission?"
create index project_grants_account_idx on project_grants (org_id, account_id);

-- What the caller may do in one project: the role's bits if it is open, and whatever a grant adds.
-- The role's organization-level bits mean nothing here and are harmless.
create function permissions_in(project_id uuid, visibility text) returns bigint
    language sql stable parallel safe
    return case visibility when 'open' then current_permissions() else 0 end
         | coalesce((select grant_permissions(g.role) from project_grants g
                     where g.org_id = current_org() and g.project_id = permissions_in.project_id
                       and g.account_id = current_account()), 0);

-- The same for somebody else: who may still be reminded.
create function permissions_of(account_id uuid, project_id uuid, visibility text) returns bigint
    language sql stable parallel safe
    return coalesce((select case visibility when 'open' then role_permissions(m.role) else 0 end
                          | coalesce(grant_permissions(g.role), 0)
                     from memberships m
                     left join project_grants g on g.org_id = m.org_id and g.project_id = permissions_of.project_id
                                               and g.account_id = m.account_id
                     where m.org_id = current_org() and m.account_id = permissions_of.account_id
                       and m.status = 'active'), 0);
