-- Who did what. Written in the transaction of the deed; nobody changes it afterwards.

create table audit_events (
    id            uuid        not null,
    org_id        uuid,
    account_id    uuid,
    log_id        uuid        not null generated always as (coalesce(org_id, account_id)) stored,
    at            timestamptz not null default clock_timestamp(),
    action        text        not null,
    actor_id      uuid,
    credential_id uuid,
    subject_id    uuid,
    request_id    text,
    address       inet,
    before        jsonb,
    after         jsonb,
    constraint audit_events_pkey primary key (id),
    constraint audit_events_owner_check check (num_nonnulls(org_id, account_id) = 1),
    constraint audit_events_org_fkey foreign key (org_id) references organizations (id) on delete cascade,
    constraint audit_events_account_fkey foreign key (account_id) references accounts (id) on delete cascade,
    constraint audit_events_action_check check (action ~ '^[a-z_]+\.[a-z_]+$' or action = 'throttled'),
    constraint audit_events_request_id_check check (length(request_id) <= 64)
);
comment on table audit_events is 'Append-only. An organization''s events have org_id, those of a person outside any have account_id.';
comment on column audit_events.log_id is 'Whose log it stands in: one column to compare, so that the policy leaves the index usable.';
comment on column audit_events.actor_id is 'Null: nobody who had proved to be somebody.';
-- GET …/audit and GET /v1/me/audit, newest first.
create index audit_events_log_idx on audit_events (log_id, id desc);
-- What goes with an organization or an account.
create index audit_events_org_idx on audit_events (org_id) where org_id is not null;
create index audit_events_account_idx on audit_events (account_id) where account_id is not null;

alter table audit_events enable row level security, force row level security;
create policy tenant on audit_events to taskbell_app
    using (log_id = (select coalesce(current_org(), current_account())));
create policy openers on audit_events to taskbell_auth using (true);
grant select, insert on audit_events to taskbell_app;
grant insert on audit_events to taskbell_auth;
