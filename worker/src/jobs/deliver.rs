//! One mail: claim it, write it, hand it over, record how that ended. Three commits; the state machine is `common::mails`,
//! and what a failure means is decided by `smtp::verdict` alone.

use std::{
    error::Error,
    pin::{Pin, pin},
    sync::Arc,
    time::{Duration, Instant},
};

use apalis::prelude::Data;
use common::{
    db::Db,
    ids::MailId,
    mails::{self, Claim, Content},
};
use tokio::{select, sync::watch, time::sleep};
use tracing::{error, info, warn};

use super::{
    end::{End, Stop},
    lease::Lease,
    statements::Desk,
    told,
};
use crate::{
    mail::{Letter, Letterhead},
    meters::Meters,
    smtp::{Accepted, Breaker, Failure, Pace, Pass, ReadyForBody, Relay, Step},
};

/// A process that stood still for so long after it had asked for `sending` may have been overtaken: it writes no body.
const PAUSE: Duration = Duration::from_secs(5);

/// How often a mail is read whose recipients' minds change while it is offered.
const READINGS: usize = 3;

/// What every delivery of this process needs.
#[derive(Debug)]
pub(crate) struct Mailer {
    /// Where the truth is.
    pub(crate) db: Db,
    /// Where mail goes.
    pub(crate) relay: Relay,
    /// Whether it can be asked.
    pub(crate) breaker: Breaker,
    /// How often it may be.
    pub(crate) pace: Pace,
    /// Turns true when nothing more is to be begun.
    pub(crate) stopped: watch::Receiver<bool>,
    /// Where jobs meet Postgres.
    pub(crate) desk: Desk,
    /// What all mails have in common.
    pub(crate) letterhead: Letterhead,
    /// The name of this process, in claims and attempts.
    pub(crate) worker: String,
    /// What is counted.
    pub(crate) meters: Arc<Meters>,
}

/// The job: apalis calls it with each id from the queue. While the mail server takes nothing, it waits before the claim: then no try is
/// burnt, and the ids stay where they are. A stop ends that; the hint is then lost, and the sweep finds the mail.
pub(crate) async fn deliver(id: MailId, mailer: Data<Arc<Mailer>>) {
    let mut stopped = mailer.stopped.clone();
    let pass = select! {
        biased;
        pass = mailer.pass() => pass,
        () = told(&mut stopped) => return,
    };
    let asked = Instant::now();
    match mailer.desk.claims.ask(id).await {
        Ok(Some(claim)) => mailer.attempt(Arc::new(claim), &pass, asked).await,
        // A hint that is early, late or a duplicate: there is nothing to do, and nothing to say.
        Ok(None) => {}
        Err(fault) => warn!(mail = %id, fault = fault.story(), "a mail could not be claimed; the sweep brings it back"),
    }
}

/// A server that waits for the body, the body, and when `sending` was asked for.
struct Ready<'r> {
    server: ReadyForBody<'r>,
    letter: Letter,
    asked: Instant,
}

impl Mailer {
    /// Leave to claim one mail.
    async fn pass(&self) -> Pass<'_> {
        let pass = self.breaker.pass().await;
        self.pace.turn().await;
        pass
    }

    async fn attempt(&self, claim: Arc<Claim>, pass: &Pass<'_>, asked: Instant) {
        let lease = Lease::granted(asked);
        let end = {
            let mut heartbeat = pin!(lease.keep(&self.db, &claim));
            self.send(&claim, pass, &lease, heartbeat.as_mut()).await
        };
        let Some(end) = end else {
            self.meters.claim_lost();
            return info!(mail = %claim.id, kind = claim.kind.as_str(), "the claim was lost before the body; nothing was sent");
        };
        self.finish(&claim, &lease, asked, End::of(end, claim.attempts, rand::random())).await;
    }

    /// None when the claim was lost before the first byte of the body: then the mail is another worker's.
    async fn send(
        &self,
        claim: &Arc<Claim>,
        pass: &Pass<'_>,
        lease: &Lease,
        mut heartbeat: Pin<&mut impl Future<Output = ()>>,
    ) -> Option<Result<Accepted, Stop>> {
        let ready = select! {
            biased;
            ready = self.prepare(claim, pass) => ready,
            () = heartbeat.as_mut() => return None,
        };
        let Ready { server, letter, asked } = match ready {
            Ok(ready) => ready,
            Err(stop) => return Some(Err(stop)),
        };
        lease.sends(asked);
        if asked.elapsed() > PAUSE {
            let paused = Failure::lost(Step::Data, "this process stood still between `sending` and the body");
            return Some(Err(paused.into()));
        }
        let mut body = pin!(server.send(&letter.bytes));
        let sent = select! {
            biased;
            sent = &mut body => sent,
            // Too late to stop: who claims it next finds it `uncertain`.
            () = heartbeat => body.await,
        };
        Some(sent.map_err(Stop::Failed))
    }

    /// Up to commit 2. Whatever fails here, not a byte of the body was written.
    async fn prepare(&self, claim: &Arc<Claim>, pass: &Pass<'_>) -> Result<Ready<'_>, Stop> {
        for _ in 0..READINGS {
            // Asked at every try, also of a mail whose words are frozen: what nobody is owed any more is not sent again.
            let fresh = self.content(claim).await?;
            let content = Arc::new(match claim.frozen.clone() {
                Some(frozen) => frozen.as_far_as(&fresh),
                None => fresh,
            });
            let key = mails::key_of(&self.db, claim, &content).await;
            let key = key.map_err(|fault| database(claim, Step::Prepare, &fault))?;
            let letter = self
                .letterhead
                .write(claim.id, &content, &key)
                .map_err(|fault| Failure::unusable(Step::Prepare, fault))?;
            let server = self.relay.open(&letter.envelope).await;
            pass.learn(server.as_ref().err());
            let server = server?;
            let asked = Instant::now();
            match self.desk.sendings.ask((Arc::clone(claim), content)).await {
                Ok(true) => return Ok(Ready { server, letter, asked }),
                // Something was cancelled at the last moment, or the lease was over. To cancel the mail in the second case would
                // lose one that is still owed, so it is read again.
                Ok(false) => drop(server),
                // It may have been committed all the same; nothing was sent, and `finish` leads out of either state.
                Err(fault) => return Err(database(claim, Step::Data, &fault).into()),
            }
        }
        Err(Failure::lost(Step::Data, "the claim did not hold until `sending`").into())
    }

    /// What the mail says now, read under its tenant's row security; the transaction is over before the mail server is asked.
    async fn content(&self, claim: &Arc<Claim>) -> Result<Content, Stop> {
        let failed = |fault| database(claim, Step::Prepare, &fault);
        self.desk.contents.ask(Arc::clone(claim)).await.map_err(failed)?.map_err(Stop::Unsaid)
    }

    /// Commit 3, tried until it succeeds or the lease is over; from then on it is the sweep's.
    async fn finish(&self, claim: &Arc<Claim>, lease: &Lease, asked: Instant, end: End) {
        let mut pause = Duration::from_millis(100);
        loop {
            let ended = (Arc::clone(claim), end.outcome.clone(), end.phase, end.reply.clone());
            match self.desk.ends.ask(ended).await {
                Ok(true) => return end.tell(claim, asked.elapsed(), &self.meters),
                Ok(false) => {
                    self.meters.claim_lost();
                    let (id, outcome) = (claim.id, &end.outcome);
                    return warn!(mail = %id, ?outcome, "the claim was lost, or how it ended is recorded already");
                }
                Err(fault) if lease.is_over() => {
                    let (id, outcome) = (claim.id, &end.outcome);
                    return error!(mail = %id, ?outcome, %fault, "how this try ended could not be recorded");
                }
                Err(_) => sleep(pause).await,
            }
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }
}

/// The database failed before the body: certainly not sent.
fn database(claim: &Claim, step: Step, fault: &common::Error) -> Failure {
    warn!(mail = %claim.id, error = fault as &(dyn Error + 'static), "the database failed a mail before its body");
    Failure::lost(step, fault)
}
