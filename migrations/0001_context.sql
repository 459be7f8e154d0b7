-- The request's context: who acts, where, with which permissions. Written only by the openers of 0008, for one
-- transaction; read by every row policy below.

create function current_org() returns uuid
    language sql stable parallel safe
    return nullif(current_setting('app.org_id', true), '')::uuid;

create function current_account() returns uuid
    language sql stable parallel safe
    return nullif(current_setting('app.account_id', true), '')::uuid;

create function current_permissions() returns bigint
    language sql stable parallel safe
    return coalesce(nullif(current_setting('app.permissions', true), ''), '0')::bigint;

create function has_permission(wanted bigint) returns boolean
    language sql stable parallel safe
    return current_permissions() & wanted = wanted;

-- The policy as bits. `common/src/access/roles.rs` is the page people read; the test
-- `the_database_and_the_code_grant_the_same_permissions` holds the two together.
create function role_permissions(role text) returns bigint
    language sql immutable strict parallel safe
    return case role
        when 'owner'  then 8191
        when 'admin'  then 8190
        when 'member' then 7812
        when 'guest'  then 0
    end;

create function grant_permissions(role text) returns bigint
    language sql immutable strict parallel safe
    return case role
        when 'manager'   then 7936
        when 'editor'    then 7680
        when 'commenter' then 4608
        when 'viewer'    then 512
    end;

comment on function grant_permissions(text) is
    'What a grant gives inside one project; these bits never apply outside it.';
