-- What the tests call things. The furniture is made by the superuser, whom row security does not bind, in four files: names
-- (here), `rest.sql` (what nobody has to write), `tenant.sql` (what somebody has to), `pristine.sql` (how to put it back).
--
-- A thing has a tenant, a kind and a variant, and the same id in every run: `furnish.id('a', 'task', 'private')` is what
-- the matrix calls the variant `private` of the slot {task}. The variant `own` is what everybody in the tenant would be given.

create schema furnish;

create table furnish.things (
    tenant  text not null,
    kind    text not null,
    variant text not null,
    value   text not null,
    primary key (tenant, kind, variant)
);

create function furnish.name(t text, kind text, variant text, value text) returns void
    language sql as $$ insert into furnish.things values (t, kind, variant, value) on conflict do nothing $$;

create function furnish.id(t text, kind text, variant text) returns uuid
    language plpgsql as $$
declare made constant uuid := md5(concat_ws('.', t, kind, variant))::uuid;
begin
    perform furnish.name(t, kind, variant, made::text);
    return made;
end $$;

-- Names a token (32 bytes, base64url) and gives its hash.
create function furnish.token(t text, kind text, variant text, prefix text default '') returns bytea
    language plpgsql as $$
declare secret constant bytea := sha256(convert_to(concat_ws('.', t, kind, variant), 'UTF8'));
begin
    perform furnish.name(t, kind, variant, prefix || translate(rtrim(encode(secret, 'base64'), '='), '+/', '-_'));
    return sha256(secret);
end $$;

create function furnish.canary(t text, variant text, place text) returns text
    language sql immutable as $$ select concat_ws('-', 'canary', t, variant, place) $$;
