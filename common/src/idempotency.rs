//! Requests that are sent again, since nobody knows whether the first time was heard: done once, and answered alike for a day.
//! The answer is kept in the transaction of the effect, so that there is one if and only if it was done.

use std::str::FromStr;

use uuid::Uuid;

use crate::{
    access::{CompleteTasks, Core, Permission, Permissions, ReadTasks},
    error::{Error, Repetition, Result},
    ids::ProjectId,
    secrets::ServerKey,
    shown::Rendered,
};

/// What a client calls one request of theirs, however often they send it: 1 to 255 visible characters of ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// The text is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 255 visible characters of ASCII")]
pub struct NotAKey;

impl FromStr for IdempotencyKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let fits = (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(NotAKey) }
    }
}

/// A key with the request that it was sent with. Neither is kept: bodies may hold passwords, and a plain hash of one could be guessed.
#[derive(Clone, Debug)]
pub struct RequestKey {
    key_hash: [u8; 32],
    request_hash: [u8; 32],
}

impl RequestKey {
    /// `path` without the organization, which has two names.
    #[must_use]
    pub fn new(server: &ServerKey, key: &IdempotencyKey, method: &str, path: &str, body: &[u8]) -> Self {
        Self {
            key_hash: server.mac(&[b"idempotency key", method.as_bytes(), path.as_bytes(), key.0.as_bytes()]),
            request_hash: server.mac(&[b"idempotency request", body]),
        }
    }

    /// What follows an opener.
    pub(crate) fn claim(&self) -> String {
        let hex = |hash: &[u8]| data_encoding::HEXLOWER.encode(hash);
        format!("claim_key('{}', '{}')", hex(&self.key_hash), hex(&self.request_hash))
    }
}

/// How a request ended that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Something is otherwise.
    Changed,
    /// Something is there.
    Created,
    /// Something will be done.
    Accepted,
    /// There is nothing to say about it.
    Done,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Changed, Self::Created, Self::Accepted, Self::Done];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Created => "created",
            Self::Accepted => "accepted",
            Self::Done => "done",
        }
    }
}

/// The answer to a request that has been done before.
#[derive(Clone, Debug)]
pub struct Kept {
    /// How it ended.
    pub outcome: Outcome,
    /// What was said about it.
    pub rendered: Option<Rendered>,
}

/// A key that a transaction holds, and the projects that its request was let into.
#[derive(Debug)]
pub(crate) struct Claim {
    key: RequestKey,
    admitted: Vec<(Uuid, i64)>,
}

impl Claim {
    pub(crate) fn new(key: &RequestKey) -> Self {
        Self { key: key.clone(), admitted: Vec::new() }
    }

    /// Remembers where the request was let in, and with what.
    pub(crate) fn admit<P: Permission>(&mut self, project: ProjectId) {
        // An assignee completes whatever their role; that they see the project is asked again.
        let bits = if P::BITS == CompleteTasks::BITS { ReadTasks::BITS } else { P::BITS };
        if !self.admitted.contains(&(project.0, bits)) {
            self.admitted.push((project.0, bits));
        }
    }
}

/// How a request begins that has a key: it is new, or it was done before.
#[derive(Debug)]
pub enum Begun<S> {
    /// It is to be done.
    Now(S),
    /// It was, and this was said.
    Before(Kept),
}

impl<S> Begun<S> {
    /// For whom there was nothing to find a moment ago.
    ///
    /// # Errors
    /// [`Error::Repeated`]: somebody else was faster.
    pub(crate) fn now(self) -> Result<S> {
        match self {
            Self::Now(scope) => Ok(scope),
            Self::Before(_) => Err(Error::Repeated(Repetition::Answered)),
        }
    }
}

/// Keeps what will be answered, where the transaction holds a key. What shows a secret is not kept, only that it was shown.
pub(crate) async fn keep(core: &mut Core, outcome: Outcome, rendered: Option<&Rendered>, once: bool) -> Result<()> {
    let Some(Claim { key, admitted }) = core.claim.take() else { return Ok(()) };
    let rendered = rendered.filter(|_| !once);
    let (projects, permissions): (Vec<_>, Vec<_>) = admitted.into_iter().unzip();
    sqlx::query!(
        "insert into idempotency_keys (org_id, account_id, key_hash, request_hash, outcome, body, tag, projects, permissions)
         values (case when $1 then current_org() end, current_account(), $2, $3, $4, $5, $6, $7, $8)",
        // What founds an organization has entered it by now, and has been of none when it began.
        core.org.is_some(),
        &key.key_hash,
        &key.request_hash,
        if once { "shown_once" } else { outcome.as_str() },
        rendered.map(Rendered::text).transpose()?,
        rendered.map(|rendered| rendered.tag.as_str()),
        &projects,
        &permissions,
    )
    .execute(core.sql())
    .await?;
    Ok(())
}

/// What was answered before, to whoever may still do what it was about.
pub(crate) async fn recall(core: &mut Core, key: &RequestKey) -> Result<Kept> {
    let row = sqlx::query!(
        r#"select k.outcome, k.body, k.tag,
                  exists (select from unnest(k.projects) w (id) where not exists (
                      select from projects p where p.id = w.id and permissions_in(p.id, p.visibility) & $2 <> 0)) as "unseen!",
                  (select min(w.bits) from unnest(k.projects, k.permissions) w (id, bits) join projects p on p.id = w.id
                   where permissions_in(p.id, p.visibility) & w.bits <> w.bits) as lacking
           from idempotency_keys k
           where k.account_id = current_account() and k.org_id is not distinct from current_org() and k.key_hash = $1"#,
        &key.key_hash,
        ReadTasks::BITS,
    )
    .fetch_optional(core.sql())
    .await?
    // Forgotten at this very moment.
    .ok_or(Error::Busy)?;
    if row.unseen {
        return Err(Error::NotFound);
    }
    if let Some(lacking) = row.lacking {
        return Err(Error::Forbidden(Permissions::of(lacking).names().next().unwrap_or_default()));
    }
    let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == row.outcome).ok_or(Error::Busy)?;
    let rendered = row.body.zip(row.tag).map(|(body, tag)| Rendered { json: body.into_bytes(), tag });
    Ok(Kept { outcome, rendered })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_and_not_too_long() {
        for good in ["a", "\"quoted,with;signs\"", "01a20444-49cb-77f9-a369-d9a397c47ffa", &"x".repeat(255)] {
            assert!(good.parse::<IdempotencyKey>().is_ok(), "{good}");
        }
        for bad in ["", " ", "a b", "ä", "a\t", "a\u{7f}", &"x".repeat(256)] {
            assert_eq!(bad.parse::<IdempotencyKey>(), Err(NotAKey), "{bad}");
        }
    }

    #[test]
    fn a_request_is_told_from_others_by_each_of_its_parts() {
        let server = ServerKey::new("a key for tests only, long enough to be one".to_owned().into()).unwrap();
        let claim = |key: &str, method: &str, path: &str, body: &str| {
            RequestKey::new(&server, &key.parse().unwrap(), method, path, body.as_bytes()).claim()
        };
        let one = claim("k", "POST", "/v1/orgs", "{}");
        assert_eq!(one, claim("k", "POST", "/v1/orgs", "{}"));
        let others = [
            claim("l", "POST", "/v1/orgs", "{}"),
            claim("k", "PUT", "/v1/orgs", "{}"),
            claim("k", "POST", "/v1/orgs/x", "{}"),
            claim("k", "POST", "/v1/orgs", "{ }"),
        ];
        assert!(others.iter().all(|other| *other != one));
    }
}
