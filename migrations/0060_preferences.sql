-- What people control: when they want to be told, and of what.

create table notification_settings (
    org_id            uuid        not null,
    account_id        uuid        not null,
    reminder_hour     time,
    quiet_from        time,
    quiet_until       time,
    days_off          smallint    not null default 0,
    reminders         boolean     not null default true,
    comments          boolean     not null default true,
    digest_hour       time,
    digest_days       smallint,
    next_digest_at    timestamptz,
    digest_tried_at   timestamptz,
    default_reminders jsonb,
    version           integer     not null default 1,
    updated_at        timestamptz not null default now(),
    constraint notification_settings_pkey primary key (org_id, account_id),
    constraint notification_settings_account_fkey foreign key (org_id, account_id)
        references memberships (org_id, account_id) on delete cascade,
    constraint notification_settings_quiet_check check (
        num_nonnulls(quiet_from, quiet_until) <> 1 and quiet_from is distinct from quiet_until or quiet_from is null),
    constraint notification_settings_days_off_check check (days_off between 0 and 126),
    constraint notification_settings_digest_check check (
        num_nonnulls(digest_hour, digest_days) in (0, 2) and digest_days between 1 and 127
        and (next_digest_at is null or digest_hour is not null) or num_nonnulls(digest_hour, digest_days, next_digest_at) = 0)
);
comment on table notification_settings is 'Of one person in one organization; who has no row has changed nothing.';
comment on column notification_settings.days_off is 'A bit for each day, Monday is 1; 127, no day left, is refused.';
comment on column notification_settings.digest_days is 'A bit for each day, Monday is 1.';
comment on column notification_settings.digest_tried_at is 'When it should have been owed and could not be: others come first.';
comment on column notification_settings.default_reminders is 'Null: the organization''s.';
-- Whose digest is due.
create index notification_settings_digest_idx on notification_settings (next_digest_at) where next_digest_at is not null;

alter table organizations add column default_reminders jsonb not null default '[]';

create table project_mutes (
    org_id     uuid        not null,
    project_id uuid        not null,
    account_id uuid        not null,
    since      timestamptz not null default now(),
    constraint project_mutes_pkey primary key (org_id, project_id, account_id),
    constraint project_mutes_project_fkey foreign key (org_id, project_id) references projects (org_id, id) on delete cascade,
    constraint project_mutes_account_fkey foreign key (org_id, account_id)
        references memberships (org_id, account_id) on delete cascade
);
comment on table project_mutes is 'Who wants no mail of a project.';

create table replans (
    org_id     uuid        not null,
    account_id uuid        not null,
    asked_at   timestamptz not null default clock_timestamp(),
    constraint replans_pkey primary key (org_id, account_id),
    constraint replans_account_fkey foreign key (org_id, account_id)
        references memberships (org_id, account_id) on delete cascade
);
comment on table replans is
    'Whose pending reminders are to be planned anew, since their zone, their reminder hour or what they want has changed. Written in the transaction of the change; none of their reminders goes out while it waits.';

alter table reminders add column skip_after text;
comment on column reminders.skip_after is 'An ISO 8601 duration: how late it is still of use; null: twelve hours.';

create table calendar_links (
    account_id   uuid        not null,
    token_hash   bytea       not null,
    created_at   timestamptz not null default now(),
    last_used_at timestamptz,
    constraint calendar_links_pkey primary key (account_id),
    constraint calendar_links_token_key unique (token_hash),
    constraint calendar_links_account_fkey foreign key (account_id) references accounts (id) on delete cascade
);
comment on table calendar_links is 'The secret address of one''s calendar of due tasks.';

create table timetable (
    job      text        not null,
    next_at  timestamptz not null default '-infinity',
    begun_at timestamptz,
    ended_at timestamptz,
    constraint timetable_pkey primary key (job)
);
comment on table timetable is 'Recurring jobs: whichever worker moves next_at on does this turn, and nobody else.';

alter table mails
    add column held_at timestamptz,
    add column alone   boolean not null default false,
    drop constraint mails_kind_check,
    add constraint mails_kind_check check (kind in
        ('reminder', 'invitation', 'verification', 'already_registered', 'password_reset', 'email_change_old',
         'email_change_new', 'notice', 'comment', 'digest'));
comment on column mails.held_at is 'Since when an operator holds it back: it is neither claimed nor does it expire.';
comment on column mails.alone is
    'It has a life of its own (`skip_after`): in one mail with others it would be sent for as long as theirs lasts.';

alter table deliveries
    add column link_hash bytea,
    add column digest_on date,
    drop constraint deliveries_kind_check,
    add constraint deliveries_kind_check check (case kind
        when 'reminder'           then num_nonnulls(org_id, account_id, reminder_id, task_id) = 4
        when 'invitation'         then num_nonnulls(org_id, invitation_id) = 2
        when 'verification'       then num_nonnulls(account_id, verification_id) = 2
        when 'already_registered' then account_id is not null
        when 'password_reset'     then num_nonnulls(account_id, reset_id) = 2
        when 'email_change_old'   then num_nonnulls(account_id, email_change_id) = 2
        when 'email_change_new'   then num_nonnulls(account_id, email_change_id) = 2
        when 'notice'             then num_nonnulls(account_id, notice) = 2
        when 'comment'            then num_nonnulls(org_id, account_id, comment_id, task_id) = 4
        when 'digest'             then num_nonnulls(org_id, account_id, digest_on) = 3
        else false end);
comment on column deliveries.link_hash is 'Of the token in the mail''s links, which is derived from this row.';
-- The links of a mail.
create unique index deliveries_link_key on deliveries (link_hash) where link_hash is not null;
-- One digest a local day.
create unique index deliveries_digest_key on deliveries (org_id, account_id, digest_on) where digest_on is not null;

alter table accounts
    add column mail_refusals integer not null default 0,
    add column mail_refused_at timestamptz;
comment on column accounts.mail_refused_at is 'Since when mail servers refuse this address: its mails were refused for good again and again.';

do $$
declare t text;
begin
    foreach t in array array['notification_settings', 'project_mutes', 'replans'] loop
        execute format('alter table %I enable row level security, force row level security', t);
        execute format('create policy tenant on %I to taskbell_app, taskbell_worker using (org_id = (select current_org()))', t);
        execute format('create policy openers on %I to taskbell_auth using (true)', t);
    end loop;
    alter table calendar_links enable row level security, force row level security;
    create policy person on calendar_links to taskbell_app using (account_id = (select current_account()));
    create policy openers on calendar_links to taskbell_auth using (true);
end $$;

grant select, insert, update         on notification_settings to taskbell_app;
grant select, insert, delete         on project_mutes         to taskbell_app;
grant select, insert                 on replans               to taskbell_app;
grant select, insert, update, delete on calendar_links        to taskbell_app;
grant select (mail_refused_at)       on accounts              to taskbell_app;
grant select                         on notification_settings, project_mutes to taskbell_worker, taskbell_auth;
grant update (next_digest_at, digest_tried_at) on notification_settings to taskbell_worker;
grant select, delete, update (asked_at) on replans            to taskbell_worker;
grant select, insert, delete         on replans               to taskbell_auth;
grant select, insert, update         on timetable             to taskbell_worker;
grant select                         on timetable             to taskbell_app;
-- Planning anew, and digests, are the worker's: as the API does it, in an organization.
grant insert                         on mails, deliveries     to taskbell_worker;
grant update (generation)            on tasks                 to taskbell_worker;
grant update (mail_refusals, mail_refused_at) on accounts     to taskbell_worker;
grant select (mail_refusals, mail_refused_at) on accounts     to taskbell_worker;
