-- What a mail said is needed while it may have to be said again. It is forgotten with the step by which the mail came to its end; that it
-- was sent, and when, is not.
alter table mails drop constraint mails_content_check, add constraint mails_content_check check (content is null or frozen_at is not null);

create or replace function forget_tries(days integer, most integer) returns bigint
    language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
    before timestamptz := now() - days * interval '1 day';
    steps  bigint;
    tries  bigint;
begin
    with gone as (
        delete from mail_steps s where (s.mail_id, s.step) in (
            select o.mail_id, o.step from mail_steps o join mails m on m.id = o.mail_id
            where o.at < before and m.state in ('sent', 'dead', 'cancelled', 'expired') limit most)
        returning s.mail_id, s.to_state
    ), ended as (
        update mails m set content = null from gone g
        where m.id = g.mail_id and g.to_state = m.state and m.content is not null
    ) select count(*) into steps from gone;
    with gone as (
        delete from attempts a where (a.mail_id, a.fence) in (
            select o.mail_id, o.fence from attempts o join mails m on m.id = o.mail_id
            where o.ended_at < before and m.state in ('sent', 'dead', 'cancelled', 'expired') limit most) returning 1
    ) select count(*) into tries from gone;
    return steps + tries;
end $$;

-- Servers repeat the address in what they answer.
create or replace function erase_account(who uuid) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    gone   constant text := who || '@deleted.invalid';
    theirs uuid[];
begin
    delete from sessions s where s.account_id = who;
    delete from second_factors f where f.account_id = who;
    delete from verifications v where v.account_id = who;
    delete from password_resets r where r.account_id = who;
    delete from email_changes c where c.account_id = who;
    delete from audit_events e where e.account_id = who;
    -- What was sent to them alone names them, and what was sent to them as a member.
    delete from mails m where m.account_id = who and m.org_id is null;
    select array_agg(l.id) into theirs from (
        select m.id from mails m
        where m.id in (select d.mail_id from deliveries d join memberships s on s.org_id = d.org_id and s.account_id = d.account_id
                       where s.account_id = who)
        order by m.id for update) l;
    -- The words of each and what was answered to it go at once, or when it is not on its way any more (`forget_erased`).
    update mails m set erased_at = now() where m.id = any (theirs);
    -- Answered with this account; those that wait are for the address, which others may own one day.
    update invitations i set email = gone from accounts a where a.id = who and i.email = a.email and i.accepted_at is not null;
    update accounts a set email = gone, name = 'Deleted account', password_hash = null, email_verified_at = null,
        time_zone = null, locale = null, deletion_due_at = null, deleted_at = now(), version = a.version + 1
    where a.id = who;
    insert into audit_events (id, account_id, action, subject_id) values (uuid_v7(), who, 'account.deleted', who);
end $$;

-- What was on its way to somebody when their account was erased has an end now, or gets one: nobody is owed a repeat. What mails say and
-- what was answered to them names whoever they were for, and goes.
create function forget_erased() returns void
    language sql volatile security definer set search_path = public, pg_temp as $$
    with over as materialized (
        select m.id from mails m where m.erased_at is not null and m.state not in ('claimed', 'sending')
        order by m.id for update skip locked
    ), answers as (
        update attempts a set reply = null from over where a.mail_id = over.id and a.reply is not null
    )
    update mails m set content = null, frozen_at = null, erased_at = null,
           state = case when m.state in ('scheduled', 'retry', 'uncertain') then 'cancelled' else m.state end,
           reason = case when m.state in ('scheduled', 'retry', 'uncertain') then 'account deleted'
                         when m.state = 'cancelled' then m.reason end
    from over where m.id = over.id
$$;
alter function forget_erased() owner to taskbell_auth;
revoke execute on function forget_erased() from public;
grant execute on function forget_erased() to taskbell_worker;
grant update (reply) on attempts to taskbell_auth;
