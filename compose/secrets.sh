#!/bin/sh
# Makes what is missing in secrets/ for docker-compose.yml, and leaves what is there: a database keeps the password it was
# made with. To change a secret, delete its file first; docs/operations.md tells what else it takes.
set -eu
umask 077
cd "$(dirname "$0")/.."
mkdir -p secrets
cd secrets
# Containers see the files as they are, under users of their own. The directory, which they do not see, keeps everybody
# else out.
chmod 700 .

# Under its name only when it is complete: an interrupted run leaves nothing that a later one would keep.
put() {
    cat >"$1.new"
    chmod 644 "$1.new"
    mv "$1.new" "$1"
}

for name in postgres_password app_password worker_password redis_password server_key; do
    [ -e "$name" ] && continue
    # 256 bits, in letters that URLs, SQL and Redis take as they are. In two steps: a pipe would hide a failure.
    bits=$(od -An -v -tx1 -N32 /dev/urandom)
    printf %s "$bits" | tr -d ' \n' | put "$name"
    echo "made secrets/$name"
done
# The mail server's; empty if it asks for none.
[ -e smtp_password ] || put smtp_password </dev/null
# The server key that is being replaced; empty if none is.
[ -e server_key_before ] || put server_key_before </dev/null

# Nobody without a password; with ours, one prefix and the commands that common/src/wakeups.rs sends. Redis gets the hash.
hash=$(sha256sum <redis_password)
put redis_acl <<END
user default off
user taskbell on #${hash%% *} ~{taskbell}:* resetchannels -@all +rpush +llen +blmpop +ping +client|setinfo
END
