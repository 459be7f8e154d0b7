-- Whose digest is due, those left out whom another worker has in hand. Whoever could not be told comes after those who wait.
create function digests_due(most bigint) returns table (org_id uuid, account_id uuid)
    language sql volatile security definer set search_path = public, pg_temp as $$
    select n.org_id, n.account_id from notification_settings n where n.next_digest_at <= now()
    order by greatest(n.next_digest_at, n.digest_tried_at) limit most for update skip locked
$$;
alter function digests_due(bigint) owner to taskbell_auth;
revoke execute on function digests_due(bigint) from public;
grant execute on function digests_due(bigint) to taskbell_worker;
-- Row locks only.
grant update (next_digest_at) on notification_settings to taskbell_auth;
