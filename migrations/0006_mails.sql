-- The one outbox. A delivery is what one person is owed; a mail is what is sent for it, and has the state machine.

create table mails (
    id          uuid        not null,
    org_id      uuid,
    account_id  uuid,
    kind        text        not null,
    state       text        not null default 'scheduled',
    due_at      timestamptz not null,
    next_at     timestamptz not null,
    expires_at  timestamptz not null,
    queued_at   timestamptz,
    fence       integer     not null default 0,
    lost_claims integer     not null default 0,
    attempts    integer     not null default 0,
    lease_until timestamptz,
    worker      text,
    reason      text,
    content     jsonb,
    frozen_at   timestamptz,
    sent_at     timestamptz,
    created_at  timestamptz not null default now(),
    constraint mails_pkey primary key (id),
    constraint mails_owner_check check (num_nonnulls(org_id, account_id) >= 1),
    constraint mails_org_fkey foreign key (org_id) references organizations (id) on delete cascade,
    constraint mails_account_fkey foreign key (account_id) references accounts (id) on delete cascade,
    constraint mails_kind_check check (kind in ('reminder', 'invitation', 'verification', 'already_registered')),
    constraint mails_state_check check (state in
        ('scheduled', 'claimed', 'sending', 'sent', 'retry', 'uncertain', 'dead', 'cancelled', 'expired')),
    constraint mails_lease_check check ((state in ('claimed', 'sending')) = (lease_until is not null)),
    constraint mails_content_check check ((content is null) = (frozen_at is null))
) with (fillfactor = 80);
comment on column mails.fence is 'Rises with every claim; each later step names it, so a worker that lost its lease changes nothing.';
comment on column mails.content is
    'What the mail says, frozen at its first step to sending: from then on every attempt sends the same bytes. Never a token: those are derived when the mail is rendered.';
comment on column mails.queued_at is 'When its id last went to Redis; null or long ago means: hint again.';
-- take_due, and the sweep's look for what is overdue: what waits, by time.
create index mails_waiting_idx on mails (next_at) where state in ('scheduled', 'retry');
-- sweep: leases that ended.
create index mails_lease_idx on mails (lease_until) where state in ('claimed', 'sending');
-- sweep, under the policy `resend`.
create index mails_uncertain_idx on mails (id) where state = 'uncertain';

create table deliveries (
    id              uuid        not null,
    org_id          uuid,
    account_id      uuid,
    mail_id         uuid        not null,
    kind            text        not null,
    reminder_id     uuid,
    task_id         uuid,
    invitation_id   uuid,
    verification_id uuid,
    generation      integer     not null default 1,
    due_at          timestamptz not null,
    cancelled_at    timestamptz,
    reason          text,
    created_at      timestamptz not null default now(),
    constraint deliveries_pkey primary key (id),
    constraint deliveries_owner_check check (num_nonnulls(org_id, account_id) >= 1),
    constraint deliveries_mail_fkey foreign key (mail_id) references mails (id) on delete cascade,
    constraint deliveries_task_fkey foreign key (org_id, task_id) references tasks (org_id, id) on delete cascade,
    constraint deliveries_reminder_fkey foreign key (org_id, reminder_id) references reminders (org_id, id) on delete cascade,
    constraint deliveries_invitation_fkey foreign key (org_id, invitation_id) references invitations (org_id, id) on delete cascade,
    constraint deliveries_verification_fkey foreign key (verification_id) references verifications (id) on delete cascade,
    constraint deliveries_account_fkey foreign key (account_id) references accounts (id) on delete cascade,
    constraint deliveries_kind_check check (case kind
        when 'reminder'           then num_nonnulls(org_id, account_id, reminder_id, task_id) = 4
        when 'invitation'         then num_nonnulls(org_id, invitation_id) = 2
        when 'verification'       then num_nonnulls(account_id, verification_id) = 2
        when 'already_registered' then account_id is not null
        else false end),
    constraint deliveries_cancelled_check check (cancelled_at is null or reason is not null)
);
-- One delivery for a reminder's occurrence, a person and a generation (a task occurs once until it recurs).
create unique index deliveries_reminder_key on deliveries (org_id, reminder_id, account_id, generation)
    where reminder_id is not null;
create index deliveries_mail_idx on deliveries (mail_id);
create index deliveries_task_idx on deliveries (org_id, task_id);
-- GET …/deliveries, newest first: everybody's, and one's own.
create index deliveries_org_idx on deliveries (org_id, id desc);
create index deliveries_account_idx on deliveries (org_id, account_id, id desc);

create table attempts (
    mail_id    uuid        not null,
    fence      integer     not null,
    org_id     uuid,
    account_id uuid,
    worker     text        not null,
    started_at timestamptz not null,
    ended_at   timestamptz not null default clock_timestamp(),
    phase      text        not null,
    reply      text,
    outcome    text        not null,
    constraint attempts_pkey primary key (mail_id, fence),
    constraint attempts_mail_fkey foreign key (mail_id) references mails (id) on delete cascade
);
comment on table attempts is 'Append-only: one row for each try that came to an end, with the last reply of the mail server.';

create table mail_steps (
    mail_id    uuid        not null,
    step       integer     not null generated always as identity,
    org_id     uuid,
    account_id uuid,
    at         timestamptz not null default clock_timestamp(),
    from_state text        not null,
    to_state   text        not null,
    fence      integer     not null,
    reason     text,
    constraint mail_steps_pkey primary key (mail_id, step),
    constraint mail_steps_mail_fkey foreign key (mail_id) references mails (id) on delete cascade
);
comment on table mail_steps is 'Append-only: written by the trigger below in the transaction of the step itself.';

create function step_is_legal(from_state text, to_state text) returns boolean
    language sql immutable strict parallel safe
    return case from_state
        when 'scheduled' then to_state in ('claimed', 'cancelled', 'expired')
        when 'retry'     then to_state in ('claimed', 'cancelled', 'expired', 'dead')
        when 'claimed'   then to_state in ('sending', 'retry', 'dead', 'cancelled', 'expired')
        when 'sending'   then to_state in ('sent', 'retry', 'dead', 'uncertain', 'expired')
        when 'uncertain' then to_state in ('retry', 'dead', 'cancelled')
        else false end;

create function log_mail_step() returns trigger language plpgsql as $$
begin
    if not step_is_legal(old.state, new.state) then
        raise exception 'a mail cannot go from % to %', old.state, new.state
            using errcode = 'check_violation', constraint = 'mails_step';
    end if;
    insert into mail_steps (mail_id, org_id, account_id, from_state, to_state, fence, reason)
    values (new.id, new.org_id, new.account_id, old.state, new.state, new.fence, new.reason);
    return new;
end $$;

create trigger mails_step before update of state on mails
    for each row when (old.state is distinct from new.state)
    execute function log_mail_step();
