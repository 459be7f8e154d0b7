//! The tokens in mails while the server key is changed: what was hashed with the one before goes on.

use uuid::Uuid;

use super::{Claim, Content};
use crate::{
    db::Db,
    error::Result,
    secrets::{Purpose, ServerKey},
};

/// How many links are looked at in one statement.
const BATCH: i64 = 1_000;

/// The key as a mail is written with: its tokens are those whose hashes the database holds, whichever key they were derived with
/// (tests/worker: `a_mail_that_was_planned_before_the_key_changed_has_a_link_that_works`).
///
/// # Errors
/// The database's.
pub async fn key_of(db: &Db, claim: &Claim, content: &Content) -> Result<ServerKey> {
    if !db.key.has_before() {
        return Ok(db.key.clone());
    }
    let mut scope = db.for_job(claim.org, claim.account).await?;
    let hashes = sqlx::query_scalar!(
        r#"select coalesce(d.link_hash, i.token_hash, v.token_hash, r.token_hash,
                           case d.kind when 'email_change_old' then c.old_token_hash else c.new_token_hash end) as hash
           from deliveries d
                left join invitations i on i.org_id = d.org_id and i.id = d.invitation_id
                left join verifications v on v.id = d.verification_id
                left join password_resets r on r.id = d.reset_id
                left join email_changes c on c.id = d.email_change_id
           where d.id = any($1)"#,
        &content.deliveries.iter().map(|delivery| delivery.0).collect::<Vec<_>>(),
    )
    .fetch_all(scope.sql())
    .await?;
    Ok(db.key.fitting(hashes.into_iter().flatten().collect()))
}

/// Gives the links of mails that wait, and that nobody can have seen, to the present key: a reminder that was planned for next
/// year does not hold on to the key of before. How many there were.
///
/// # Errors
/// The database's.
pub async fn renew_links(db: &Db) -> Result<u64> {
    let (mut after, mut renewed) = (Uuid::nil(), 0);
    loop {
        let waiting = sqlx::query!(
            r#"select d.id, d.link_hash as "hash!" from deliveries d join mails m on m.id = d.mail_id
               where d.id > $1 and d.link_hash is not null and d.cancelled_at is null
                 and m.state in ('scheduled', 'retry') and m.content is null
               order by d.id limit $2"#,
            after,
            BATCH,
        )
        .fetch_all(&db.pool)
        .await?;
        let Some(last) = waiting.last() else { return Ok(renewed) };
        after = last.id;
        let (mut ids, mut hashes) = (Vec::new(), Vec::new());
        for link in waiting {
            let present = db.key.mailed_token(Purpose::Delivery, link.id).hash();
            if present.as_bytes() != link.hash {
                ids.push(link.id);
                hashes.push(present.as_bytes().to_vec());
            }
        }
        if !ids.is_empty() {
            renewed += renew(db, &ids, &hashes).await?;
        }
    }
}

/// Whoever claims one of the mails meanwhile sends the link as it was; and nobody waits for anybody.
async fn renew(db: &Db, ids: &[Uuid], hashes: &[Vec<u8>]) -> Result<u64> {
    let done = sqlx::query!(
        "with free as (
             select d.id from deliveries d join mails m on m.id = d.mail_id
             where d.id = any($1) and d.cancelled_at is null and m.state in ('scheduled', 'retry') and m.content is null
             for update of d, m skip locked
         )
         update deliveries d set link_hash = n.hash from unnest($1::uuid[], $2::bytea[]) as n (id, hash), free f
         where d.id = n.id and d.id = f.id",
        ids,
        hashes,
    )
    .execute(&db.pool)
    .await?;
    Ok(done.rows_affected())
}
