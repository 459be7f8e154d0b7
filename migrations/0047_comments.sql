-- Comments are told by mail.

alter table mails
    drop constraint mails_kind_check,
    add constraint mails_kind_check check (kind in
        ('reminder', 'invitation', 'verification', 'already_registered', 'password_reset', 'email_change_old',
         'email_change_new', 'notice', 'comment'));

alter table deliveries
    add column comment_id uuid,
    add constraint deliveries_comment_fkey foreign key (org_id, comment_id) references comments (org_id, id) on delete cascade,
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
        else false end);
-- However often a comment is edited, and whoever it mentions then: nobody gets it twice.
create unique index deliveries_comment_key on deliveries (org_id, comment_id, account_id) where comment_id is not null;

-- What the mail says.
grant select on comments, comment_mentions to taskbell_worker;
