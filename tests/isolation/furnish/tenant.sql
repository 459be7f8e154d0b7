-- Two tenants, `a` and `b`, with the same furniture: rows in every table, a canary in every text that may hold one. `x` are
-- people of no tenant, or of both.
--
-- A new table that follows the rules needs no line here: `furnish.rest` finds that it is empty and fills it by its columns,
-- its references and its lists of values. When it cannot, it says so, and the table gets an insert below.

-- Somebody with a verified account, a session, and the password `the furnished password`.
create function furnish.person(t text, who text) returns uuid
    language plpgsql as $$
declare
    account constant uuid := furnish.id(t, 'person', who);
    hash constant text := '$argon2id$v=19$m=19456,t=2,p=1$fYfOrf/p4UVIS+aTWjo22Q$XuxjhnlJI6p/T84iN9jsAMrUen4e9ob/38lweVXJdX4';
begin
    insert into accounts (id, email, name, password_hash, email_verified_at)
    values (account, furnish.canary(t, who, 'mail@example.org'), furnish.canary(t, who, 'name'), hash, now());
    insert into sessions (id, account_id, token_hash, expires_at)
    values (furnish.id(t, 'session', 'of ' || who), account, furnish.token(t, 'bearer', who, 'tbs_'), now() + interval '1 day');
    insert into verifications (id, account_id, name, password_hash, token_hash, expires_at, used_at)
    values (furnish.hidden_id(t, who, 'verification'), account, furnish.canary(t, who, 'verification'), hash, sha256(account::text::bytea), now(), now());
    insert into password_resets (id, account_id, token_hash, expires_at, used_at)
    values (furnish.hidden_id(t, who, 'reset'), account, sha256(account::text::bytea), now(), now());
    insert into email_changes (id, account_id, new_email, old_token_hash, new_token_hash, expires_at)
    values (furnish.hidden_id(t, who, 'change'), account, furnish.canary(t, who, 'former@example.org'),
            sha256(account::text::bytea), sha256('new' || account::text::bytea), now());
    -- Two, so that there is a second page.
    insert into audit_events (id, account_id, action, actor_id, subject_id, request_id)
    select furnish.hidden_id(t, who, 'event', nth::text), account, 'session.created', account, account, furnish.canary(t, who, 'request')
    from generate_series(1, 2) nth;
    return account;
end $$;

-- A mail that is due in a year, and the delivery it is for.
create function furnish.owed(t text, variant text, org uuid, account uuid, task uuid, reminder uuid) returns void
    language plpgsql as $$
begin
    insert into mails (id, org_id, account_id, kind, due_at, next_at, expires_at, content, frozen_at)
    values (furnish.id(t, 'mail', variant), org, account, 'reminder', now() + interval '1 year', now() + interval '1 year',
            now() + interval '2 years', jsonb_build_object('title', furnish.canary(t, variant, 'mail')), now());
    insert into deliveries (id, org_id, account_id, mail_id, kind, task_id, reminder_id, due_at)
    values (furnish.id(t, 'delivery', variant), org, account, furnish.id(t, 'mail', variant), 'reminder', task, reminder,
            now() + interval '1 year');
    insert into attempts (mail_id, fence, org_id, account_id, worker, started_at, phase, reply, outcome)
    values (furnish.id(t, 'mail', variant), 1, org, account, furnish.canary(t, variant, 'worker'), now(), 'body',
            furnish.canary(t, variant, 'reply'), 'retry');
    insert into mail_steps (mail_id, org_id, account_id, from_state, to_state, fence, reason)
    values (furnish.id(t, 'mail', variant), org, account, 'scheduled', 'claimed', 1, furnish.canary(t, variant, 'reason'));
end $$;

create function furnish.task(t text, variant text, project text, assignees text[]) returns void
    language plpgsql as $$
declare
    org    constant uuid := furnish.id(t, 'org', 'id');
    keeper constant uuid := furnish.id(t, 'person', 'keeper');
    task   constant uuid := furnish.id(t, 'task', variant);
    next   integer;
begin
    update projects set last_number = last_number + 1 where id = furnish.id(t, 'project', project) returning last_number into next;
    insert into tasks (org_id, id, project_id, number, title, description, created_by)
    values (org, task, furnish.id(t, 'project', project), next, furnish.canary(t, variant, 'title'),
            furnish.canary(t, variant, 'description'), keeper);
    insert into reminders (org_id, id, task_id, at, recipient, account_id, created_by)
    values (org, furnish.id(t, 'reminder', variant), task, now() + interval '1 year', 'account', keeper, keeper);
    insert into task_assignees (org_id, task_id, account_id)
    select org, task, furnish.id(t, 'person', who) from unnest(assignees) who;
    perform furnish.owed(t, variant, org, furnish.id(t, 'person', assignees[1]), task, furnish.id(t, 'reminder', variant));
end $$;

create function furnish.tenant(t text) returns void
    language plpgsql as $$
declare
    org     constant uuid := furnish.id(t, 'org', 'id');
    who     text;
    variant text;
begin
    perform furnish.name(t, 'org', 'own', 'canary-' || t);
    insert into organizations (id, slug, name) values (org, 'canary-' || t, furnish.canary(t, 'org', 'name'));
    -- `target` is acted upon; `keeper` manages every project; from `viewer` on they have a grant of that name and nothing else.
    -- `custom` has a role of the organization's own: members:list, audit:read, tasks:read.
    insert into roles (org_id, key, name, permissions)
    select org, 'canary-' || t || '-' || word, furnish.canary(t, 'org', word), 548 from unnest(array['role', 'spare']) word;
    perform furnish.name(t, 'role', 'own', 'canary-' || t || '-role'), furnish.name(t, 'role', 'spare', 'canary-' || t || '-spare');
    foreach who in array array['owner', 'admin', 'member', 'custom', 'target', 'keeper', 'guest', 'suspended', 'removed',
                               'viewer', 'commenter', 'editor', 'manager'] loop
        insert into memberships (org_id, account_id, role, status)
        values (org, furnish.person(t, who),
                case when who in ('owner', 'admin', 'member') then who when who in ('target', 'keeper') then 'member'
                     when who = 'custom' then 'canary-' || t || '-role' else 'guest' end,
                case when who in ('suspended', 'removed') then who else 'active' end);
        insert into tokens (org_id, id, account_id, name, token_hash, scopes, expires_at, revoked_at)
        values (org, furnish.id(t, 'token', 'of ' || who), furnish.id(t, 'person', who), furnish.canary(t, who, 'token'),
                furnish.personal_token(t, 'token of ' || who), 16383, now() + interval '1 day',
                case when who in ('suspended', 'removed') then now() end);
    end loop;
    insert into former_slugs (slug, org_id) values ('canary-' || t || '-former', org);
    perform furnish.name(t, 'org', 'former', 'canary-' || t || '-former');
    insert into audit_events (id, org_id, action, actor_id, subject_id, request_id)
    select furnish.hidden_id(t, 'event', nth::text), org, 'member.role_changed', furnish.id(t, 'person', 'owner'),
           furnish.id(t, 'person', 'target'), furnish.canary(t, 'org', 'request')
    from generate_series(1, 2) nth;
    perform furnish.name(t, 'member', 'own', furnish.id(t, 'person', 'target')::text),
            furnish.name(t, 'member', 'owner', furnish.id(t, 'person', 'owner')::text),
            furnish.name(t, 'member', 'suspended', furnish.id(t, 'person', 'suspended')::text),
            furnish.name(t, 'member', 'removed', furnish.id(t, 'person', 'removed')::text);

    insert into invitations (org_id, id, token_id, email, role, invited_by, token_hash, expires_at) values
        (org, furnish.id(t, 'invitation', 'own'), furnish.hidden_id(t, 'invitation token'), furnish.canary(t, 'org', 'invited@example.org'), 'guest',
         furnish.id(t, 'person', 'owner'), sha256(org::text::bytea), now() + interval '1 day'),
        (org, furnish.id(t, 'invitation', 'offer'), furnish.hidden_id(t, 'offer token'), furnish.canary(case t when 'a' then 'x' else t end, 'invited', 'mail@example.org'), 'guest',
         furnish.id(t, 'person', 'owner'), furnish.token(t, 'offer', 'own'), now() + interval '1 day');

    -- The token of an offer is for one account where an account accepts it, and a proof in itself where none is asked for.
    perform furnish.name(t, 'open_offer', 'own', (select value from furnish.things where tenant = t and kind = 'offer'));

    -- The four kinds of project that tell predicates apart: open with the guests' grants, private with them, private without,
    -- open without.
    foreach variant in array array['own', 'granted', 'private', 'unshared'] loop
        insert into projects (org_id, id, key, name, visibility, created_by)
        values (org, furnish.id(t, 'project', variant), upper(left(variant, 4)), furnish.canary(t, variant, 'project'),
                case when variant in ('granted', 'private') then 'private' else 'open' end, furnish.id(t, 'person', 'keeper'));
        insert into project_grants (org_id, project_id, account_id, role)
        select org, furnish.id(t, 'project', variant), furnish.id(t, 'person', person),
               case person when 'keeper' then 'manager' when 'target' then 'viewer' else person end
        from unnest(array['keeper', 'target', 'viewer', 'commenter', 'editor', 'manager']) person
        where person = 'keeper' or variant in ('own', 'granted');
        perform furnish.task(t, variant, variant, array['keeper']);
        insert into labels (org_id, id, project_id, name)
        values (org, furnish.id(t, 'label', variant), furnish.id(t, 'project', variant), furnish.canary(t, variant, 'label'));
        insert into task_labels (org_id, project_id, task_id, label_id)
        values (org, furnish.id(t, 'project', variant), furnish.id(t, 'task', variant), furnish.id(t, 'label', variant));
        -- Two of them make two pages; the author is somebody who may change what they have said.
        insert into comments (org_id, id, task_id, author_id, body)
        select org, comment, furnish.id(t, 'task', variant), furnish.id(t, 'person',
               case variant when 'private' then 'keeper' when 'unshared' then 'member' else 'editor' end), furnish.canary(t, variant, 'comment')
        from unnest(array[furnish.id(t, 'comment', variant), furnish.hidden_id(t, 'comment', variant)]) comment;
        insert into task_events (org_id, id, task_id, actor_id, action, changes)
        select org, furnish.hidden_id(t, 'task event', variant, page), furnish.id(t, 'task', variant), furnish.id(t, 'person', 'keeper'),
               'updated', jsonb_build_object('title', jsonb_build_object('from', furnish.canary(t, variant, 'title once')))
        from unnest(array['1', '2']) page;
    end loop;
    perform furnish.task(t, 'assigned', 'own', array['viewer', 'commenter', 'guest']);
    update projects p set task_count = (select count(*) from tasks k where k.project_id = p.id) where p.org_id = org;

    -- The link of a mail.
    update deliveries set link_hash = furnish.token(t, 'mail_link', 'own') where id = furnish.id(t, 'delivery', 'own');

    -- A sign-up that waits: owed to an account outside any organization.
    insert into accounts (id, email, name)
    values (furnish.id(t, 'person', 'newcomer'), furnish.canary(t, 'newcomer', 'mail@example.org'), furnish.canary(t, 'newcomer', 'name'));
    insert into verifications (id, account_id, name, password_hash, token_hash, expires_at)
    values (furnish.hidden_id(t, 'newcomer'), furnish.id(t, 'person', 'newcomer'), furnish.canary(t, 'newcomer', 'verification'), 'none',
            furnish.token(t, 'verification', 'own'), now() + interval '1 day');
    insert into password_resets (id, account_id, token_hash, expires_at)
    values (furnish.hidden_id(t, 'reset'), furnish.id(t, 'person', 'target'), furnish.token(t, 'reset', 'own'), now() + interval '1 day');
    insert into email_changes (id, account_id, new_email, old_token_hash, new_token_hash, expires_at)
    values (furnish.hidden_id(t, 'change'), furnish.id(t, 'person', 'target'), furnish.canary(t, 'target', 'new@example.org'),
            furnish.token(t, 'email_change', 'own'), sha256('new' || org::text::bytea), now() + interval '1 day');
    insert into calendar_links (account_id, token_hash)
    values (furnish.id(t, 'person', 'owner'), furnish.token(t, 'calendar', 'own'));
    insert into mails (id, account_id, kind, due_at, next_at, expires_at)
    values (furnish.id(t, 'mail', 'account'), furnish.id(t, 'person', 'newcomer'), 'already_registered', now() + interval '1 year',
            now() + interval '1 year', now() + interval '2 years');
    insert into deliveries (id, account_id, mail_id, kind, due_at)
    values (furnish.id(t, 'delivery', 'account'), furnish.id(t, 'person', 'newcomer'), furnish.id(t, 'mail', 'account'),
            'already_registered', now() + interval '1 year');
end $$;

select furnish.tenant('a'), furnish.tenant('b');
select furnish.rest('a'), furnish.rest('b');

-- Outside: somebody with an account only, somebody whom `a` has invited, and somebody who belongs to both.
select furnish.person('x', 'invited');
select furnish.name('x', 'member', 'outsider', furnish.person('x', 'outsider')::text);
insert into memberships (org_id, account_id, role)
select furnish.id(t, 'org', 'id'), twin, 'member' from furnish.person('x', 'twin') twin, unnest(array['a', 'b']) t;
insert into tokens (org_id, id, account_id, name, token_hash, scopes, expires_at)
values (furnish.id('b', 'org', 'id'), furnish.id('x', 'token', 'of twin'), furnish.id('x', 'person', 'twin'),
        furnish.canary('x', 'twin', 'token'), furnish.personal_token('x', 'token of twin'), 16383, now() + interval '1 day');

-- Sessions and personal tokens that are over; a token for each scope that the owner could give one.
insert into sessions (id, account_id, token_hash, expires_at)
values (furnish.hidden_id('a', 'expired'), furnish.id('a', 'person', 'owner'), furnish.token('a', 'bearer', 'expired', 'tbs_'), now());
insert into tokens (org_id, id, account_id, name, token_hash, scopes, expires_at, revoked_at)
select furnish.id('a', 'org', 'id'), furnish.hidden_id('a', variant), furnish.id('a', 'person', 'owner'), variant, furnish.personal_token('a', variant),
       scopes, expires_at, revoked_at
from (values ('token expired', 16383::bigint, now(), null::timestamptz),
             ('token revoked', 16383, now() + interval '1 day', now())) over (variant, scopes, expires_at, revoked_at)
union all
select furnish.id('a', 'org', 'id'), furnish.hidden_id('a', 'scope', bit::text), furnish.id('a', 'person', 'owner'), 'scope ' || bit,
       furnish.personal_token('a', 'scope ' || bit), (1 << bit) | case
           -- As the product gives them: managing members lists them, whatever concerns projects reads tasks.
           when bit = 3 then 4 when bit = 10 then 2560 when bit in (8, 11, 12) then 512 else 0 end,
       now() + interval '1 day', null
from generate_series(0, 13) bit;

select furnish.plant('b');
