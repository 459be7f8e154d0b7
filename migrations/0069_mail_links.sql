-- The links of a mail: the token of a delivery lets its recipient act on it, without signing in.

-- As whom: the recipient, in the organization of the delivery, with what they hold there now, and of that no more than to read tasks
-- (512) and to complete them (2048). For thirty days after it was due, while they are an active member and the organization lives.
create function begin_mail(token_hash text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    deeds constant bigint := 512 | 2048;
    reader record;
begin
    select d.org_id, d.account_id, permissions_of_role(m.org_id, m.role) as held into reader
    from deliveries d
         join memberships m on m.org_id = d.org_id and m.account_id = d.account_id and m.status = 'active'
         join organizations o on o.id = d.org_id and o.deletion_due_at is null
    where d.link_hash = decode(begin_mail.token_hash, 'hex') and d.due_at > now() - interval '30 days';
    if reader.org_id is null then
        raise exception 'no such link' using errcode = 'TB404';
    end if;
    perform enter(reader.org_id, reader.account_id, reader.held & deeds, deeds, null);
end $$;
alter function begin_mail(text) owner to taskbell_auth;
revoke execute on function begin_mail(text) from public;
grant execute on function begin_mail(text) to taskbell_app;
