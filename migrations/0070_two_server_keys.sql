-- The worker writes the token again whose hash was stored, so it compares: tokens may be derived from one of two server keys.
grant select (token_hash)                     on verifications, password_resets to taskbell_worker;
grant select (old_token_hash, new_token_hash) on email_changes                  to taskbell_worker;
