//! What jobs ask of Postgres, each kind in a lane of its own: claims, what mails say, commit 2, commit 3.

use std::{collections::HashMap, pin::Pin, sync::Arc};

use common::{
    Result,
    db::Db,
    ids::{AccountId, MailId, OrgId},
    mails::{self, Attempt, Claim, Content, Outcome, Phase, Said},
};

use futures::{StreamExt, stream};

use super::lane::{Lane, Statement};

/// Organizations that are read at the same time; connections are for other statements, too.
const SCOPES: usize = 4;

type Work<'w, T> = Pin<Box<dyn Future<Output = T> + Send + 'w>>;

/// The four lanes of a process.
pub(crate) struct Desk {
    pub(super) claims: Lane<Claims>,
    pub(super) contents: Lane<Contents>,
    pub(super) sendings: Lane<Sendings>,
    pub(super) ends: Lane<Ends>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desk(…)")
    }
}

impl Desk {
    /// For the process that is known as `worker`.
    pub(crate) fn open(db: &Db, worker: &str) -> Self {
        Self {
            claims: Lane::open(Claims { db: db.clone(), worker: worker.to_owned() }),
            contents: Lane::open(Contents(db.clone())),
            sendings: Lane::open(Sendings(db.clone())),
            ends: Lane::open(Ends { db: db.clone(), worker: worker.to_owned() }),
        }
    }
}

/// Commit 1.
pub(super) struct Claims {
    db: Db,
    worker: String,
}

impl Statement for Claims {
    type Item = MailId;
    type Outcome = Option<Claim>;

    fn together<'w>(&'w self, ids: &'w [MailId]) -> Work<'w, Result<Vec<Option<Self::Outcome>>>> {
        Box::pin(async move {
            let claims = mails::claim_all(&self.db, ids, &self.worker).await?;
            Ok(claims.into_iter().map(Some).collect())
        })
    }

    fn alone<'w>(&'w self, id: &'w MailId) -> Work<'w, Result<Self::Outcome>> {
        Box::pin(async move {
            let claims = mails::claim_all(&self.db, &[*id], &self.worker).await?;
            Ok(claims.into_iter().next().flatten())
        })
    }
}

/// What mails say now.
pub(super) struct Contents(Db);

impl Contents {
    /// Under whose row security a mail is read: its organization's, or outside any its account's.
    fn place(claim: &Claim) -> (Option<OrgId>, Option<AccountId>) {
        (claim.org, if claim.org.is_some() { None } else { claim.account })
    }
}

impl Statement for Contents {
    type Item = Arc<Claim>;
    type Outcome = Said;

    fn together<'w>(&'w self, claims: &'w [Arc<Claim>]) -> Work<'w, Result<Vec<Option<Said>>>> {
        Box::pin(async move {
            let mut places: HashMap<_, Vec<usize>> = HashMap::new();
            for (index, claim) in claims.iter().enumerate() {
                places.entry(Self::place(claim)).or_default().push(index);
            }
            // Each place in a scope of its own; one that fails leaves its mails to be asked for by themselves.
            let each = places.into_iter().map(|((org, account), indices)| async move {
                let of_place: Vec<&Claim> = indices.iter().map(|index| &*claims[*index]).collect();
                let scope = self.0.for_job(org, account).await?;
                let said = mails::contents(scope, &of_place).await?;
                Ok::<_, common::Error>(indices.into_iter().zip(said).collect::<Vec<_>>())
            });
            let mut all: Vec<Option<Said>> = claims.iter().map(|_| None).collect();
            let each: Vec<_> = stream::iter(each).buffer_unordered(SCOPES).collect().await;
            for (index, said) in each.into_iter().flatten().flatten() {
                all[index] = Some(said);
            }
            Ok(all)
        })
    }

    fn alone<'w>(&'w self, claim: &'w Arc<Claim>) -> Work<'w, Result<Said>> {
        Box::pin(async move {
            let (org, account) = Self::place(claim);
            mails::content(self.0.for_job(org, account).await?, claim).await
        })
    }
}

/// Commit 2.
pub(super) struct Sendings(Db);

impl Statement for Sendings {
    type Item = (Arc<Claim>, Arc<Content>);
    type Outcome = bool;

    fn together<'w>(&'w self, mails: &'w [Self::Item]) -> Work<'w, Result<Vec<Option<bool>>>> {
        Box::pin(async move {
            let mails: Vec<(&Claim, &Content)> = mails.iter().map(|(claim, content)| (&**claim, &**content)).collect();
            mails::mark_all_sending(&self.0, &mails).await
        })
    }

    fn alone<'w>(&'w self, (claim, content): &'w Self::Item) -> Work<'w, Result<bool>> {
        Box::pin(mails::mark_sending(&self.0, claim, content))
    }
}

/// Commit 3.
pub(super) struct Ends {
    db: Db,
    worker: String,
}

/// How a try ended, how far it came, and the last words.
pub(super) type Ended = (Arc<Claim>, Outcome, Phase, Option<String>);

impl Ends {
    fn attempt(&self, (.., phase, reply): &Ended) -> Attempt<'_> {
        Attempt { worker: &self.worker, phase: *phase, reply: reply.clone() }
    }
}

impl Statement for Ends {
    type Item = Ended;
    type Outcome = bool;

    fn together<'w>(&'w self, ends: &'w [Ended]) -> Work<'w, Result<Vec<Option<bool>>>> {
        Box::pin(async move {
            let ends: Vec<_> = ends.iter().map(|end| (&*end.0, &end.1, self.attempt(end))).collect();
            mails::finish_all(&self.db, &ends).await
        })
    }

    fn alone<'w>(&'w self, end: &'w Ended) -> Work<'w, Result<bool>> {
        Box::pin(async move { mails::finish(&self.db, &end.0, &end.1, &self.attempt(end)).await })
    }
}
