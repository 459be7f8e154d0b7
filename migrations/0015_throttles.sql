-- Guessing gets slower with each guess. Counted here, so that neither a restart nor the loss of Redis forgives it.

create table throttles (
    key        bytea       not null,
    count      double precision not null default 0,
    last_at    timestamptz not null default now(),
    not_before timestamptz not null default now(),
    constraint throttles_pkey primary key (key)
);
comment on table throttles is 'Keys are HMACs: neither addresses nor e-mails are kept.';
comment on column throttles.count is 'Tries that are not forgotten yet, as of last_at; it leaks.';
-- purge: what is forgotten.
create index throttles_last_at_idx on throttles (last_at);

alter table throttles enable row level security, force row level security;
create policy openers on throttles to taskbell_auth using (true);
grant select, insert, update, delete on throttles to taskbell_auth;

-- Counts a try against every key, unless one of them must still wait; gives the seconds to wait, or zero. The tries of one
-- key come one after another: the row is locked.
create function throttle(keys bytea[], free integer[], first double precision[], most double precision[], memory double precision[])
    returns double precision
    language plpgsql security definer set search_path = public, pg_temp as $$
declare wait double precision;
begin
    insert into throttles (key) select distinct k from unnest(keys) k order by k on conflict do nothing;
    perform 1 from throttles t where t.key = any(keys) order by t.key for update;
    select max(extract(epoch from t.not_before - clock_timestamp())) into wait from throttles t where t.key = any(keys);
    if wait > 0 then
        return wait;
    end if;
    -- What was counted leaks away, `free` in each `memory`: a few slips a day never add up.
    update throttles t
    set count = c.count, last_at = clock_timestamp(),
        not_before = clock_timestamp() + interval '1 second' * case when c.count <= l.free then 0
            else least(l.most, l.first * power(2::double precision, least(ceil(c.count - l.free) - 1, 30))) end
    from unnest(throttle.keys, throttle.free, throttle.first, throttle.most, throttle.memory) as l (key, free, first, most, memory),
         lateral (select 1 + greatest(0, old.count - extract(epoch from clock_timestamp() - old.last_at) * l.free / l.memory) as count
                  from throttles old where old.key = l.key) c
    where t.key = l.key;
    return 0;
end $$;

-- The try was no guess: the person's count starts anew, the address has one less.
create function forgive(person bytea, place bytea) returns void
    language sql volatile security definer set search_path = public, pg_temp as $$
    delete from throttles where key = person;
    update throttles set count = greatest(count - 1, 0) where key = place;
$$;

alter function throttle(bytea[], integer[], double precision[], double precision[], double precision[]) owner to taskbell_auth;
alter function forgive(bytea, bytea) owner to taskbell_auth;
revoke execute on function throttle(bytea[], integer[], double precision[], double precision[], double precision[]),
    forgive(bytea, bytea) from public;
grant execute on function throttle(bytea[], integer[], double precision[], double precision[], double precision[]),
    forgive(bytea, bytea) to taskbell_app;
