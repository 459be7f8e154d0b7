-- A session begins with the password that counts at this moment.

-- The password was found right some milliseconds ago, with no row locked. Had it been changed or reset since, all sessions of
-- before would have ended, and this one would come after: whoever knows only the old password would be in. Serialization
-- failure: nothing was done, the client may repeat it.
drop function begin_session(uuid, uuid, text);
create function begin_session(account uuid, session uuid, token_hash text, known_hash text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform 1 from accounts a where a.id = account and a.password_hash = known_hash for no key update;
    if not found then
        raise exception 'the password was changed meanwhile' using errcode = 'serialization_failure';
    end if;
    insert into sessions (id, account_id, token_hash, expires_at)
    values (session, account, decode(begin_session.token_hash, 'hex'), now() + interval '30 days');
    perform enter(null, account, 0, -1, session);
end $$;
alter function begin_session(uuid, uuid, text, text) owner to taskbell_auth;
revoke execute on function begin_session(uuid, uuid, text, text) from public;
grant execute on function begin_session(uuid, uuid, text, text) to taskbell_app;
