-- "Tell me again later": a reminder of one's own, made from one that has come.

alter table reminders add column snooze boolean not null default false;
comment on column reminders.snooze is 'Made by putting off what had come. One for a person and a task; no quota counts it.';
-- The one that there is.
create unique index reminders_snooze_key on reminders (org_id, task_id, account_id) where snooze and removed_at is null;
