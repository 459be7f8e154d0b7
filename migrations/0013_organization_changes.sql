-- Organizations get another slug, and an end with a delay.

alter table organizations add column deletion_due_at timestamptz;
comment on column organizations.deletion_due_at is
    'When it will be deleted. Until then it is there for its owners alone, who may restore it.';
create index organizations_deletion_idx on organizations (deletion_due_at) where deletion_due_at is not null;

create table former_slugs (
    slug       text        not null,
    org_id     uuid        not null,
    created_at timestamptz not null default now(),
    constraint former_slugs_pkey primary key (slug),
    constraint former_slugs_org_fkey foreign key (org_id) references organizations (id) on delete cascade
);
comment on table former_slugs is 'Members who use an old slug are sent to the new one; nobody else can take it.';
create index former_slugs_org_idx on former_slugs (org_id);

alter table former_slugs enable row level security, force row level security;
create policy tenant on former_slugs to taskbell_app using (org_id = (select current_org()));
create policy openers on former_slugs to taskbell_auth using (true);
grant select on former_slugs to taskbell_auth;
grant select, insert, delete on former_slugs to taskbell_app;

-- One name space: a slug is some organization's now, or was one's before.
create function slug_is_free() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if exists (select from former_slugs f where f.slug = new.slug and f.org_id <> new.id) then
        raise exception 'the slug % was another organization''s', new.slug
            using errcode = 'unique_violation', constraint = 'organizations_slug_key';
    end if;
    return new;
end $$;
create trigger organizations_slug_is_free before insert or update of slug on organizations
    for each row execute function slug_is_free();
alter function slug_is_free() owner to taskbell_auth;
revoke execute on function slug_is_free() from public;
