-- Enabled and FORCEd on every table that holds somebody's rows. Application SQL does not repeat these predicates:
-- there is one truth, and no way to forget it. `(select …)` makes each context a constant of the plan.
--
-- taskbell_app and taskbell_worker are bound by them; taskbell_auth, which owns the SECURITY DEFINER functions of 0008
-- and cannot log in, sees what those functions need.

-- Tenant tables: org_id, nothing else.
do $$
declare t text;
begin
    foreach t in array array['invitations', 'projects', 'project_grants', 'tasks', 'task_assignees', 'reminders'] loop
        execute format('alter table %I enable row level security, force row level security', t);
        execute format('create policy tenant on %I to taskbell_app, taskbell_worker using (org_id = (select current_org()))', t);
    end loop;
end $$;

-- Outside an organization an account reaches its own memberships and, through them, its organizations.
alter table memberships enable row level security, force row level security;
create policy tenant on memberships to taskbell_app, taskbell_worker
    using (org_id = (select current_org())
        or ((select current_org()) is null and account_id = (select current_account())))
    with check (org_id = (select current_org()));

alter table organizations enable row level security, force row level security;
create policy tenant on organizations to taskbell_app, taskbell_worker
    using (id = (select current_org())
        or ((select current_org()) is null and id in (
            select m.org_id from memberships m where m.account_id = (select current_account()) and m.status = 'active')))
    with check (id = (select current_org()));

-- Accounts: oneself, and the people of the current organization.
alter table accounts enable row level security, force row level security;
create policy person on accounts to taskbell_app, taskbell_worker
    using (id = (select current_account())
        or id in (select m.account_id from memberships m where m.org_id = (select current_org())))
    with check (id = (select current_account()));

do $$
declare t text;
begin
    foreach t in array array['verifications', 'sessions'] loop
        execute format('alter table %I enable row level security, force row level security', t);
        execute format('create policy person on %I to taskbell_app, taskbell_worker using (account_id = (select current_account()))', t);
    end loop;

    -- What is owed may belong to an organization, to an account outside any, or to a person in one. It is read in an
    -- organization (one comparison, which the indexes serve), and also written by a sign-up. The worker sends for all.
    foreach t in array array['mails', 'deliveries', 'attempts', 'mail_steps'] loop
        execute format('alter table %I enable row level security, force row level security', t);
        execute format('create policy tenant on %I to taskbell_app using (org_id = (select current_org()))
            with check (org_id = (select current_org())
                or ((select current_org()) is null and org_id is null and account_id = (select current_account())))', t);
        execute format('create policy worker on %I to taskbell_worker using (true)', t);
    end loop;

    foreach t in array array['accounts', 'verifications', 'sessions', 'organizations', 'memberships', 'invitations',
                             'project_grants', 'mails'] loop
        execute format('create policy openers on %I to taskbell_auth using (true)', t);
    end loop;
end $$;
