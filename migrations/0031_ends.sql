-- What ends for good: an address that is given up, organizations and accounts whose time has come.

-- Both mailboxes have agreed: the account gets its new address. Whoever only claims that address, and has proved nothing, makes
-- room for whoever has proved it.
create function change_email(change uuid) returns table (before text, after text)
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    select c.new_email into change_email.after from email_changes c
    where c.id = change and c.account_id = current_account()
      and c.old_confirmed_at is not null and c.new_confirmed_at is not null;
    if not found then
        raise exception 'no such change' using errcode = 'TB404';
    end if;
    select a.email into change_email.before from accounts a where a.id = current_account() for no key update;
    delete from accounts a where a.email = change_email.after and a.email_verified_at is null and a.deleted_at is null;
    update accounts a set email = change_email.after, version = a.version + 1 where a.id = current_account();
    return next;
end $$;
revoke update (email) on accounts from taskbell_app;

-- All that an organization holds. Its projects first, with all that hangs on them: tasks name members as their authors, and
-- would keep the memberships.
create function erase_organization(org uuid) returns void
    language sql volatile security definer set search_path = public, pg_temp as $$
    delete from projects p where p.org_id = org;
    delete from organizations o where o.id = org;
$$;

-- The rest of a person. The row stays, emptied: it is the author of what others still read.
create function erase_account(who uuid) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare gone constant text := who || '@deleted.invalid';
begin
    delete from sessions s where s.account_id = who;
    delete from second_factors f where f.account_id = who;
    delete from verifications v where v.account_id = who;
    delete from password_resets r where r.account_id = who;
    delete from email_changes c where c.account_id = who;
    delete from audit_events e where e.account_id = who;
    -- What was sent to them alone, and the words of what was sent to them as a member: both name them.
    delete from mails m where m.account_id = who and m.org_id is null;
    update mails m set content = null, frozen_at = null
    where m.content is not null and m.state in ('sent', 'dead', 'cancelled', 'expired')
      and m.id in (select d.mail_id from deliveries d join memberships s on s.org_id = d.org_id and s.account_id = d.account_id
                   where s.account_id = who);
    -- Answered with this account; those that wait are for the address, which others may own one day.
    update invitations i set email = gone from accounts a where a.id = who and i.email = a.email and i.accepted_at is not null;
    update accounts a set email = gone, name = 'Deleted account', password_hash = null, email_verified_at = null,
        time_zone = null, locale = null, deletion_due_at = null, deleted_at = now(), version = a.version + 1
    where a.id = who;
    insert into audit_events (id, account_id, action, subject_id) values (uuid_v7(), who, 'account.deleted', who);
end $$;

-- As before, with what was missing in it: an organization that has tasks can go; mails say nothing of who is gone; and rows that
-- a foreign key looks at are locked no more than it bears.
create or replace function purge() returns table (organizations bigint, accounts bigint, sign_ups bigint)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    due    uuid;
    leaver uuid;
    stay   record;
begin
    purge.organizations := 0;
    purge.accounts := 0;
    for due in select o.id from organizations o where o.deletion_due_at <= now() order by o.id for update skip locked loop
        perform erase_organization(due);
        purge.organizations := purge.organizations + 1;
    end loop;

    for leaver in select a.id from accounts a where a.deletion_due_at <= now() order by a.id for no key update skip locked loop
        perform 1 from organizations o
        where o.id in (select m.org_id from memberships m where m.account_id = leaver and m.status <> 'removed')
        order by o.id for no key update;
        if exists (select from deletion_plan(leaver) p where p.fate = 'blocked') then
            continue;
        end if;
        for stay in select p.org_id, p.fate from deletion_plan(leaver) p loop
            if stay.fate = 'deleted' then
                perform erase_organization(stay.org_id);
                purge.organizations := purge.organizations + 1;
                continue;
            end if;
            insert into audit_events (id, org_id, action, actor_id, subject_id)
            values (uuid_v7(), stay.org_id, 'member.left', leaver, leaver);
            insert into audit_events (id, org_id, action, subject_id, after)
            select uuid_v7(), stay.org_id, 'project.inherited', project, jsonb_build_object('by', 'owners', 'from', leaver)
            from end_membership(stay.org_id, leaver, 'removed', 'account deleted') project;
        end loop;
        perform erase_account(leaver);
        purge.accounts := purge.accounts + 1;
    end loop;

    -- Nobody has proved to own them. So many at a time: each takes a look at all mails.
    with gone as (
        delete from accounts a where a.id in (
            select n.id from accounts n
            where n.email_verified_at is null and n.deleted_at is null and n.created_at < now() - interval '7 days'
              and not exists (select from verifications v where v.account_id = n.id and v.expires_at > now())
            limit 100 for update skip locked) returning 1
    ) select count(*) into purge.sign_ups from gone;
    delete from throttles t where t.last_at < now() - interval '2 days' and t.not_before < now();
    return next;
end $$;

do $$
declare f text;
begin
    foreach f in array array['change_email(uuid)', 'erase_organization(uuid)', 'erase_account(uuid)'] loop
        execute format('alter function %s owner to taskbell_auth', f);
        execute format('revoke execute on function %s from public', f);
    end loop;
end $$;
grant execute on function change_email(uuid) to taskbell_app;
grant execute on function erase_organization(uuid), erase_account(uuid) to taskbell_auth;
grant delete on projects, mails to taskbell_auth;

-- purge: sign-ups that nobody confirmed, and mails that only concerned who is gone. Reminders are in none of these.
create index accounts_unproved_idx on accounts (created_at) where email_verified_at is null;
create index mails_person_idx on mails (account_id) where org_id is null;
create index deliveries_verification_idx on deliveries (verification_id) where verification_id is not null;
create index deliveries_reset_idx on deliveries (reset_id) where reset_id is not null;
create index deliveries_email_change_idx on deliveries (email_change_id) where email_change_id is not null;
