-- The part of the furniture that nobody has to write: tables that `furnish.sql` does not mention, and texts without a canary.

-- `task_labels` holds things of the kind `task_label`.
create function furnish.kind(tab regclass) returns text
    language sql stable as $$ select regexp_replace(regexp_replace(tab::text, 'ies$', 'y'), 's$', '') $$;

-- The rows of a table that belong to a tenant: by organization, or by person where there is no organization.
create function furnish.of_tenant(t text, tab regclass) returns text
    language plpgsql stable as $$
declare
    org    text;
    people text;
begin
    select quote_literal(value) into org from furnish.things where tenant = t and kind = 'org' and variant = 'id';
    select string_agg(quote_literal(value), ', ') into people from furnish.things where tenant = t and kind = 'person';
    return case
        when tab = 'organizations'::regclass then format('id = %s', org)
        when tab = 'accounts'::regclass then format('id in (%s)', people)
        when furnish.has_column(tab, 'org_id') and furnish.has_column(tab, 'account_id')
            then format('(org_id = %s or org_id is null and account_id in (%s))', org, people)
        when furnish.has_column(tab, 'org_id') then format('org_id = %s', org)
        when furnish.has_column(tab, 'account_id') then format('account_id in (%s)', people)
    end;
end $$;

create function furnish.has_column(tab regclass, name text) returns boolean
    language sql stable as $$
    select exists (select from pg_attribute where attrelid = tab and attname = name and attnum > 0 and not attisdropped) $$;

-- Every table that holds somebody's rows.
create function furnish.tables() returns setof regclass
    language sql stable as $$
    select oid::regclass from pg_class
    where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace
      and furnish.of_tenant('a', oid) is not null
    order by relname $$;

-- A value for one column as SQL, or null to leave it to its default.
create function furnish.value(t text, tab regclass, col pg_attribute, variant text) returns text
    language plpgsql as $$
declare
    other   regclass;
    other_column text;
    found   text;
    listed  text;
begin
    if col.attname = 'org_id' then
        return quote_literal(furnish.id(t, 'org', 'id'));
    end if;
    select c.confrelid::regclass, a.attname into other, other_column
    from pg_constraint c, unnest(c.conkey, c.confkey) as pair(here, there)
        join pg_attribute a on a.attnum = there
    where c.conrelid = tab and c.contype = 'f' and here = col.attnum and a.attrelid = c.confrelid limit 1;
    if col.attname = 'account_id' or other in ('accounts'::regclass, 'memberships'::regclass) then
        return quote_literal(furnish.id(t, 'person', 'owner'));
    end if;
    if other is not null then
        select value into found from furnish.things th
        where th.tenant = t and th.kind = furnish.kind(other) and th.variant in (value.variant, 'own')
        order by th.variant <> value.variant limit 1;
        if found is null then
            execute format('select %I from %s where %s limit 1', other_column, other, furnish.of_tenant(t, other)) into found;
        end if;
        return quote_literal(found);
    end if;
    if col.attname = 'id' and col.atttypid = 'uuid'::regtype then
        return quote_literal(furnish.id(t, furnish.kind(tab), variant));
    end if;
    select substring(pg_get_constraintdef(c.oid) from format('%I = ANY \(ARRAY\[(''[^'']*'')', col.attname)) into listed
    from pg_constraint c where c.conrelid = tab and c.contype = 'c' and col.attnum = any (c.conkey) order by 1 limit 1;
    if col.atthasdef or (not col.attnotnull and (col.atttypid <> 'text'::regtype or listed is not null)) then
        return null;
    end if;
    return coalesce(listed, case
        when col.atttypid = 'text'::regtype then quote_literal(furnish.canary(t, variant, concat_ws(' ', tab, col.attname)))
        when col.atttypid = 'jsonb'::regtype then quote_literal(jsonb_build_object('canary', furnish.canary(t, variant, tab::text)))
        when col.atttypid = 'uuid'::regtype then quote_literal(furnish.hidden_id(t, tab::text, col.attname, variant))
        when col.atttypid = 'bytea'::regtype
            then format('sha256(%L::bytea)', furnish.hidden_id(t, tab::text, col.attname, variant))
        when col.atttypid in ('timestamptz'::regtype, 'date'::regtype, 'timestamp'::regtype) then 'now() + interval ''1 day'''
        when col.atttypid in ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype) then '1'
        when col.atttypid = 'boolean'::regtype then 'true'
        when col.atttypid = 'inet'::regtype then quote_literal('192.0.2.1')
        when col.atttypid = 'text[]'::regtype then format('array[%L]', furnish.canary(t, variant, tab::text))
    end);
end $$;

create function furnish.row(t text, tab regclass, variant text) returns void
    language plpgsql as $$
declare
    col     pg_attribute;
    value   text;
    names   text[] := '{}';
    "values" text[] := '{}';
begin
    for col in select a.* from pg_attribute a
        where a.attrelid = tab and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity = '' loop
        value := furnish.value(t, tab, col, variant);
        if value is not null then
            names := names || quote_ident(col.attname);
            "values" := "values" || value;
        end if;
    end loop;
    execute format('insert into %s (%s) values (%s)', tab, array_to_string(names, ', '), array_to_string("values", ', '));
end $$;

-- Fills what is empty. Tables refer to each other, so it goes round until nothing is left or nothing helps; one row for each
-- variant of what a table refers to, so that a comment, say, has one on each kind of task.
create function furnish.rest(t text) returns void
    language plpgsql as $$
declare
    tab     regclass;
    variant text;
    empty   boolean;
    filled  boolean;
    fault   text;
begin
    loop
        filled := false;
        fault := null;
        for tab in select furnish.tables() loop
            execute format('select not exists (select from %s where %s)', tab, furnish.of_tenant(t, tab)) into empty;
            continue when not empty;
            for variant in
                select distinct th.variant from pg_constraint c join furnish.things th on th.kind = furnish.kind(c.confrelid)
                where c.conrelid = tab and c.contype = 'f' and th.tenant = t and th.kind not in ('org', 'person')
                union select 'own' loop
                begin
                    perform furnish.row(t, tab, variant);
                    filled := true;
                exception when others then
                    fault := format('furnish.sql must say what a row of %s looks like: %s', tab, sqlerrm);
                end;
            end loop;
        end loop;
        exit when not filled;
    end loop;
    if fault is not null then
        raise exception '%', fault;
    end if;
end $$;

-- A canary into every text of the tenant's that has none and may hold any: what is a word of a list refuses it. Time zones and
-- hashes mean something, and stay.
create function furnish.plant(t text) returns void
    language plpgsql as $$
declare
    tab    regclass;
    col    text;
    bare   boolean;
begin
    set local session_replication_role = replica;
    for tab in select furnish.tables() loop
        for col in select attname from pg_attribute
            where attrelid = tab and attnum > 0 and not attisdropped and attgenerated = ''
              and atttypid in ('text'::regtype, 'varchar'::regtype) and attname !~ 'zone|offset|hash|secret' loop
            execute format('select not exists (select from %s where %s and %I like %L)',
                           tab, furnish.of_tenant(t, tab), col, '%canary-' || t || '%') into bare;
            continue when not bare;
            begin
                execute format('update %s set %I = %L where %s', tab, col, furnish.canary(t, 'own', concat_ws(' ', tab, col)),
                               furnish.of_tenant(t, tab));
            exception when check_violation or unique_violation then null;
            end;
        end loop;
    end loop;
    set local session_replication_role = origin;
end $$;
