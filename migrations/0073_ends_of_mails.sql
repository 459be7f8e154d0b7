-- What follows from how mails end: addresses that refuse them, and logs that grow.

-- In a row: one that is taken begins the count anew. Nobody waits for an account that somebody else has in hand: it is counted the
-- next time.
create function note_refusals(refused uuid[], accepted uuid[]) returns void
    language plpgsql volatile security definer set search_path = public, pg_temp as $$
begin
    if refused is not null then
        update accounts a set mail_refusals = a.mail_refusals + 1,
               mail_refused_at = case when a.mail_refusals + 1 >= 5 then coalesce(a.mail_refused_at, now()) end
        from (select f.id from accounts f where f.id = any (refused) and f.deleted_at is null
              order by f.id for no key update skip locked) free
        where a.id = free.id;
    end if;
    if accepted is not null and exists (select from accounts f where f.id = any (accepted) and f.mail_refusals > 0) then
        update accounts a set mail_refusals = 0, mail_refused_at = null
        from (select f.id from accounts f where f.id = any (accepted) and f.mail_refusals > 0
              order by f.id for no key update skip locked) free
        where a.id = free.id;
    end if;
end $$;

-- Another address has refused nothing.
create function forget_refusals() returns trigger language plpgsql as $$
begin
    new.mail_refusals := 0;
    new.mail_refused_at := null;
    return new;
end $$;
create trigger accounts_email before update of email on accounts
    for each row when (old.email is distinct from new.email) execute function forget_refusals();

-- Of mails that have ended. What waits for an operator, or for its time, keeps its story.
create function forget_tries(days integer, most integer) returns bigint
    language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
    before timestamptz := now() - days * interval '1 day';
    steps  bigint;
    tries  bigint;
begin
    with gone as (
        delete from mail_steps s where (s.mail_id, s.step) in (
            select o.mail_id, o.step from mail_steps o join mails m on m.id = o.mail_id
            where o.at < before and m.state in ('sent', 'dead', 'cancelled', 'expired') limit most) returning 1
    ) select count(*) into steps from gone;
    with gone as (
        delete from attempts a where (a.mail_id, a.fence) in (
            select o.mail_id, o.fence from attempts o join mails m on m.id = o.mail_id
            where o.ended_at < before and m.state in ('sent', 'dead', 'cancelled', 'expired') limit most) returning 1
    ) select count(*) into tries from gone;
    return steps + tries;
end $$;
-- Rows lie in the order of their times: a summary of ranges is enough, and costs the writers nothing.
create index mail_steps_at_idx on mail_steps using brin (at);
create index attempts_ended_at_idx on attempts using brin (ended_at);

alter function note_refusals(uuid[], uuid[]) owner to taskbell_auth;
alter function forget_tries(integer, integer) owner to taskbell_auth;
revoke execute on function note_refusals(uuid[], uuid[]), forget_refusals(), forget_tries(integer, integer) from public;
grant execute on function note_refusals(uuid[], uuid[]), forget_tries(integer, integer) to taskbell_worker;
grant select, delete on attempts, mail_steps to taskbell_auth;
