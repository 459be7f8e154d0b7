-- Keeps the furnished world, and puts it back after a request has changed it, telling what the change was. Ids, tokens and
-- versions are the same again, so what one cell of the matrix does no other can see.

create schema pristine;

-- Which tables were written since the last time. The marks belong to the transaction of the write.
create table furnish.touched (tab text not null);

create function furnish.touch() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into furnish.touched values (tg_table_name);
    return null;
end $$;

-- The columns of a table, but some, with an alias before each.
create function furnish.columns(tab regclass, alias text, but text default '^$') returns text
    language sql stable as $$
    select string_agg(alias || quote_ident(attname), ', ' order by attnum) from pg_attribute
    where attrelid = tab and attnum > 0 and not attisdropped and attgenerated = '' and attname !~ but $$;

-- Writes `furnish.restore()`, one static statement after the other, so that Postgres plans them once. When and from where a
-- credential was last used makes no row another one: it is stamped whatever is asked.
create function furnish.keep() returns void
    language plpgsql as $$
declare
    tab     regclass;
    same    text;
    removal text := '';
    return_ text := '';
begin
    for tab in select oid::regclass from pg_class
        where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace
          and relname <> '_sqlx_migrations' order by relname loop
        execute format('create table pristine.%s as table public.%1$s', tab);
        execute format('create trigger furnish_touch after insert or update or delete on public.%s
                        for each statement execute function furnish.touch()', tab);
        same := format('row(%s)::text = row(%s)::text',
                       furnish.columns(tab, 'o.', '^last_used_'), furnish.columns(tab, 'n.', '^last_used_'));
        removal := removal || format('
            if %3$L = any (touched) then
                return query with written as (
                    delete from public.%1$s n where not exists (select from pristine.%1$s o where %2$s) returning n.*)
                select %3$L, true, to_jsonb(w) from written w;
            end if;', tab, same, tab::text);
        return_ := return_ || format('
            if %5$L = any (touched) then
                return query with missing as (
                    insert into public.%1$s (%2$s) overriding system value
                    select %3$s from pristine.%1$s o where not exists (select from public.%1$s n where %4$s) returning *)
                select %5$L, false, to_jsonb(m) from missing m;
            end if;', tab, furnish.columns(tab, ''), furnish.columns(tab, 'o.'), same, tab::text);
    end loop;
    -- As a replica: no trigger speaks, and no reference hinders.
    execute format($f$
        create function furnish.restore() returns table (what text, written boolean, content jsonb)
            language plpgsql set session_replication_role = replica as $b$
        declare touched text[];
        begin
            with marks as (delete from furnish.touched returning tab) select array_agg(distinct tab) into touched from marks;
            %s %s
        end $b$ $f$, removal, return_);
end $$;
