-- More that people are owed: what proves a mailbox again, and notices of what has happened to an account.

alter table mails
    drop constraint mails_kind_check,
    add constraint mails_kind_check check (kind in
        ('reminder', 'invitation', 'verification', 'already_registered', 'password_reset', 'email_change_old',
         'email_change_new', 'notice'));

alter table deliveries
    add column reset_id        uuid,
    add column email_change_id uuid,
    add column notice          jsonb,
    add constraint deliveries_reset_fkey foreign key (reset_id) references password_resets (id) on delete cascade,
    add constraint deliveries_email_change_fkey foreign key (email_change_id) references email_changes (id) on delete cascade,
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
        else false end);
comment on column deliveries.notice is 'What a notice tells, as facts; words are the worker''s.';
-- What was sent for an invitation: whether its mail ever arrived, and what a resend or revocation takes back.
create index deliveries_invitation_idx on deliveries (invitation_id) where invitation_id is not null;
