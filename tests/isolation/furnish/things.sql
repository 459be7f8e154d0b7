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

-- An id that no request names, the same in every run like all others: lists are ordered by them.
create function furnish.hidden_id(variadic words text[]) returns uuid
    language sql immutable as $$ select md5('hidden ' || array_to_string(words, '.'))::uuid $$;

-- Names a token (32 bytes, base64url) and gives its hash.
create function furnish.token(t text, kind text, variant text, prefix text default '') returns bytea
    language plpgsql as $$
declare secret constant bytea := sha256(convert_to(concat_ws('.', t, kind, variant), 'UTF8'));
begin
    perform furnish.name(t, kind, variant, prefix || translate(rtrim(encode(secret, 'base64'), '='), '+/', '-_'));
    return sha256(secret);
end $$;

-- The checksum of personal tokens: CRC-32, bit by bit.
create function furnish.crc32(data bytea) returns bigint
    language plpgsql immutable as $$
declare crc bigint := 4294967295;
begin
    for place in 0 .. length(data) - 1 loop
        crc := crc # get_byte(data, place);
        for bit in 1 .. 8 loop
            crc := crc >> 1 # (crc & 1) * 3988292384;
        end loop;
    end loop;
    return crc # 4294967295;
end $$;

-- Names a personal token as a bearer: 43 characters and their checksum in six digits of base 62. Gives the hash.
create function furnish.personal_token(t text, variant text) returns bytea
    language plpgsql as $$
declare
    digits  constant text := '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    secret  constant text := left(encode(sha256(convert_to(concat_ws('.', t, variant), 'UTF8')), 'hex'), 43);
    rest    bigint := furnish.crc32(secret::bytea);
    written text := '';
begin
    for digit in 1 .. 6 loop
        written := substr(digits, (rest % 62)::integer + 1, 1) || written;
        rest := rest / 62;
    end loop;
    perform furnish.name(t, 'bearer', variant, 'tbl_' || secret || written);
    return sha256(secret::bytea);
end $$;

create function furnish.canary(t text, variant text, place text) returns text
    language sql immutable as $$ select concat_ws('-', 'canary', t, variant, place) $$;
