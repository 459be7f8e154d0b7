-- q=…: words of titles and descriptions (docs/adr/0017). `@@` may leak, so under row security no index serves it: a definer
-- function asks the index, for the organization that was verified, and gives ids; who may see what decides the list that asks.

create table task_words (
    org_id  uuid     not null,
    task_id uuid     not null,
    words   tsvector not null,
    constraint task_words_pkey primary key (org_id, task_id),
    constraint task_words_task_fkey foreign key (org_id, task_id) references tasks (org_id, id) on delete cascade
);
comment on table task_words is
    'What is searched for, beside the tasks: completing or moving one then writes no word anew. Kept by a trigger.';
comment on column task_words.words is
    'Each word begins with the mark of its organization: in the one index over all tenants each has a stretch of its own, so a search costs what its own tasks cost, and the beginning of a word can be looked for.';
alter table task_words enable row level security, force row level security;
create policy tenant on task_words to taskbell_app, taskbell_worker using (org_id = (select current_org()));
create policy openers on task_words to taskbell_auth using (true);

-- Two organizations of one mark would share a stretch, and still not see each other: the function below asks for the id too.
create function search_mark(org uuid) returns text
    language sql immutable strict parallel safe
    return right(org::text, 8);

-- `simple`: no language's endings, since members write in several. Positions stay, for phrases.
create function search_words(org uuid, body text) returns tsvector
    language sql immutable strict parallel safe
    return (select (coalesce(string_agg('''' || search_mark(org) || replace(replace(w.lexeme, '\', '\\'), '''', '''''') || ''':'
                                        || array_to_string(w.positions, ','), ' '), '')
                    -- What a search for "all but these words" begins with.
                    || ' ''' || search_mark(org) || '''')::tsvector
            -- Postgres takes no word of more than 2,046 bytes.
            from unnest(to_tsvector('simple', body)) w where octet_length(w.lexeme) <= 2000);

-- What somebody typed, as they would for a search engine: words, "a phrase", or, -not. Any text is one; the last word may be the
-- beginning of one. Null: nothing to look for.
create function search_query(org uuid, typed text) returns tsquery
    language plpgsql stable strict parallel safe as $$
declare
    plain text := websearch_to_tsquery('simple', typed)::text;
    found tsquery;
begin
    if plain = '' then
        return null;
    end if;
    plain := regexp_replace(plain, '''((?:[^'']|'''')*)''', '''' || search_mark(org) || '\1''', 'g');
    if typed !~ '"\s*$' and plain !~ '!''(?:[^'']|'''')*''$' then
        plain := regexp_replace(plain, '''$', ''':*');
    end if;
    found := plain::tsquery;
    -- Only what must not be there: all of the organization, but that.
    if querytree(found) in ('', 'T') then
        found := ('''' || search_mark(org) || '''')::tsquery && found;
    end if;
    return found;
end $$;

-- FORCE binds the owner of a table too: without this the backfill would see nothing.
alter table tasks no force row level security;
alter table task_words no force row level security;
insert into task_words (org_id, task_id, words)
select org_id, id, search_words(org_id, title || ' ' || description) from tasks;
alter table tasks force row level security;
alter table task_words force row level security;
-- tasks_with().
create index task_words_idx on task_words using gin (words);

create function note_words() returns trigger language plpgsql as $$
begin
    insert into task_words (org_id, task_id, words)
    values (new.org_id, new.id, search_words(new.org_id, new.title || ' ' || new.description))
    on conflict on constraint task_words_pkey do update set words = excluded.words;
    return null;
end $$;
create trigger tasks_words after insert or update of title, description on tasks for each row execute function note_words();

-- Ids of tasks with these words, of projects that the caller sees and of others, at most so many.
create function tasks_with(typed text, most bigint) returns setof uuid
    language sql stable security definer rows 1000 set search_path = public, pg_temp
    -- A word that half of the tasks have: what the index has found stays exact, and no row is compared again.
    set work_mem = '16MB' set enable_seqscan = off as $$
    select found.task_id
    -- Apart, or the primary key would look cheaper: the mark in each word has found the organization's already. A question of its
    -- own, or it would be asked for each row.
    from (select w.org_id, w.task_id from task_words w where w.words @@ (select search_query(current_org(), typed)) offset 0) found
    where found.org_id = current_org()
    limit most
$$;

alter function tasks_with(text, bigint) owner to taskbell_auth;
revoke execute on function search_mark(uuid), search_words(uuid, text), search_query(uuid, text), note_words(), tasks_with(text, bigint) from public;
grant execute on function search_mark(uuid), search_words(uuid, text), search_query(uuid, text), note_words()
    to taskbell_app, taskbell_worker, taskbell_auth;
grant execute on function tasks_with(text, bigint) to taskbell_app;
grant select, insert, update on task_words to taskbell_app;
grant select, insert, update on task_words to taskbell_auth;
