-- Those who watch a deployment ask every few seconds how many mails have come to a bad end of late (common/src/mails/backlog.rs).
create index mail_steps_lost_idx on mail_steps (at) where to_state in ('dead', 'expired');
comment on index mail_steps_lost_idx is 'What metrics ask for: mails that were refused for good or came too late, within the last hour. Few rows.';
