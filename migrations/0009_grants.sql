-- What each role may touch, table by table. Nothing is granted to public; the application's roles own nothing.

revoke execute on all functions in schema public from public;

grant execute on function current_org(), current_account(), current_permissions(), has_permission(bigint),
    role_permissions(text), grant_permissions(text), permissions_in(uuid, text), permissions_of(uuid, uuid, text),
    step_is_legal(text, text), enter(uuid, uuid, bigint)
    to taskbell_app, taskbell_worker, taskbell_auth;
grant execute on function account_of_session(text) to taskbell_auth;

-- taskbell_auth: what the functions it owns read and write.
grant select         on sessions, project_grants, verifications to taskbell_auth;
grant insert         on sessions                                 to taskbell_auth;
grant select, insert on accounts, memberships, organizations     to taskbell_auth;
grant update         on organizations, memberships               to taskbell_auth; -- row locks only
grant select, update on invitations, mails                       to taskbell_auth;

-- taskbell_app: the API.
grant execute on function begin_request(text, text, bigint), begin_account(text), begin_sign_up(text, uuid, text),
    begin_link(text, text), sign_in_hash(text), begin_session(uuid, uuid, text),
    found_organization(uuid, text, text, text), accept_invitation(bytea), take_due(integer, interval)
    to taskbell_app;
grant select (id, email, name, time_zone, email_verified_at, created_at, version) on accounts to taskbell_app;
grant update (name, time_zone, password_hash, email_verified_at, version) on accounts to taskbell_app;
grant select (id, account_id, created_at, expires_at) on sessions to taskbell_app;
grant select, insert, update on verifications to taskbell_app;
grant select, update         on organizations to taskbell_app;
grant select, insert, update on memberships, invitations, projects, project_grants, tasks, reminders to taskbell_app;
grant select, insert, delete on task_assignees to taskbell_app;
grant select, insert, update on mails, deliveries to taskbell_app;
grant select                 on attempts to taskbell_app;
grant select, insert         on mail_steps to taskbell_app;

-- taskbell_worker: reads what a mail says, moves mails on, appends to the log.
grant execute on function begin_job(uuid, uuid), take_due(integer, interval) to taskbell_worker;
grant select (id, email, name, time_zone, email_verified_at) on accounts to taskbell_worker;
grant select (id, account_id, expires_at, used_at) on verifications to taskbell_worker;
grant select on organizations, memberships, invitations, projects, project_grants, tasks, task_assignees, reminders to taskbell_worker;
grant select, update on mails, deliveries to taskbell_worker;
grant select, insert on attempts, mail_steps to taskbell_worker;
