//! The figures of a worker, for a Prometheus. Labels are words of ours: never an address, a title or an id.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use common::{
    db::Db,
    mails::{self, Backlog, Swept},
    wakeups::Queue,
};
use metrics::{Counter, Family, Gauge, Histogram, Level, NotBound, Registry};
use tokio::{
    sync::{Mutex, watch},
    time::timeout,
};
use tracing::debug;

use crate::{jobs::Mailer, smtp::Breaker};

/// Seconds, from a tenth to half a day: a mail that is later than that expires.
const LATENESS: [f64; 16] =
    [0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 10_800.0, 21_600.0, 43_200.0];
/// Postgres is asked no more often, however many scrape.
const REST: Duration = Duration::from_secs(5);
/// A page without the figures of Postgres is better than none.
const PATIENCE: Duration = Duration::from_secs(2);

/// A name and a value.
type Label = (&'static str, &'static str);

/// What a worker counts, and what it asks when somebody looks.
#[derive(Debug)]
pub(crate) struct Meters {
    registry: Registry,
    attempts: Family<[Label; 2], Counter>,
    lateness: Family<[Label; 1], Histogram, fn() -> Histogram>,
    lost_claims: Counter,
    folded: Counter,
    swept: Family<[Label; 1], Counter>,
    breaker: Gauge,
    turns: Family<[Label; 1], Level>,
    due: Level,
    held: Level,
    soon: Level,
    in_hand: Level,
    uncertain: Level,
    oldest: Level,
    lost: Family<[Label; 1], Level>,
    queued: Level,
    asked: Mutex<Option<Instant>>,
}

impl Default for Meters {
    fn default() -> Self {
        let lateness = Family::new_with_constructor((|| Histogram::new(LATENESS)) as fn() -> Histogram);
        let mut meters = Self {
            registry: metrics::registry(),
            attempts: Family::default(),
            lateness,
            lost_claims: Counter::default(),
            folded: Counter::default(),
            swept: Family::default(),
            breaker: Gauge::default(),
            turns: Family::default(),
            due: Level::default(),
            held: Level::default(),
            soon: Level::default(),
            in_hand: Level::default(),
            uncertain: Level::default(),
            oldest: Level::default(),
            lost: Family::default(),
            queued: Level::default(),
            asked: Mutex::default(),
        };
        meters.register();
        meters
    }
}

impl Meters {
    fn register(&mut self) {
        let Self { registry, attempts, lateness, lost_claims, folded, swept, breaker, turns, .. } = self;
        registry.register("mail_attempts", "Tries that came to an end, by what was made of them", attempts.clone());
        registry.register("mail_lateness_seconds", "From when a mail was due to when it was sent", lateness.clone());
        registry.register(
            "mail_claims_lost",
            "Tries whose mail was another worker's at their end",
            lost_claims.clone(),
        );
        registry.register("mails_folded", "Mails that went out as part of another one", folded.clone());
        registry.register("mails_swept", "What the sweep found, and repaired", swept.clone());
        registry.register("relay_breaker_open", "1 while the mail server is not asked", breaker.clone());
        registry.register("job_last_turn_timestamp_seconds", "When a job last came to its end", turns.clone());
        let Self { due, held, soon, in_hand, uncertain, oldest, lost, queued, .. } = self;
        let help = "Mails that came to a bad end within the last hour, in the whole deployment";
        self.registry.register("mails_lost_last_hour", help, lost.clone());
        for (name, help, level) in [
            ("mails_due", "Mails that are due and in nobody's hands, in the whole deployment", due),
            ("mails_held", "Mails that are due and that an operator holds back, or pauses", held),
            ("mails_due_within_hour", "Mails that will be due within an hour", soon),
            ("mails_in_hand", "Mails in the hands of workers", in_hand),
            ("mails_uncertain", "Mails of which nobody knows whether they were taken", uncertain),
            ("mails_oldest_due_seconds", "For how long the mail has been due that waits longest", oldest),
            ("queue_outstanding", "Hints that wait in Redis; not a number when Redis does not answer", queued),
        ] {
            self.registry.register(name, help, level.clone());
        }
    }

    /// A try came to its end; `late` after its mail was due.
    pub(crate) fn ended(&self, kind: &'static str, verdict: &'static str, late: Duration) {
        self.attempts.get_or_create(&[("kind", kind), ("verdict", verdict)]).inc();
        if verdict == "sent" {
            self.lateness.get_or_create(&[("kind", kind)]).observe(late.as_secs_f64());
        }
    }

    /// A mail was another worker's before its try had ended.
    pub(crate) fn claim_lost(&self) {
        self.lost_claims.inc();
    }

    /// So many mails go out as part of another one.
    pub(crate) fn folded(&self, mails: usize) {
        self.folded.inc_by(mails as u64);
    }

    /// What a round of the sweep found.
    pub(crate) fn swept(&self, swept: &Swept) {
        let Swept { reclaimed, uncertain, expired, overdue } = swept;
        let overdue = overdue.len() as u64;
        for (found, count) in
            [("claim", *reclaimed), ("uncertain", *uncertain), ("expired", *expired), ("overdue", overdue)]
        {
            self.swept.get_or_create(&[("found", found)]).inc_by(count);
        }
    }

    /// Whether the mail server is left alone.
    fn breaker(&self, open: bool) {
        self.breaker.set(open.into());
    }

    /// A job came to its end.
    pub(crate) fn turned(&self, job: &'static str) {
        #[expect(clippy::disallowed_methods, reason = "told to people; no rule asks it")]
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        self.turns.get_or_create(&[("job", job)]).set(now.as_secs_f64());
    }

    async fn page(&self, db: &Db, queue: &Queue, breaker: &Breaker) -> String {
        self.breaker(breaker.is_open());
        let mut asked = self.asked.lock().await;
        if asked.is_none_or(|asked| asked.elapsed() >= REST) {
            let backlog = timeout(PATIENCE, mails::backlog(db)).await;
            let outstanding = timeout(PATIENCE, queue.len()).await;
            self.show(backlog.ok().and_then(Result::ok), outstanding.ok().and_then(Result::ok));
            *asked = Some(Instant::now());
        }
        drop(asked);
        metrics::render(&self.registry)
    }

    /// What is not known is not a number, for which no alert holds but that on what is absent.
    fn show(&self, backlog: Option<Backlog>, outstanding: Option<usize>) {
        if backlog.is_none() {
            debug!("the database did not tell how much mail waits");
        }
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and exact up to 2^53")]
        let count = |of: fn(&Backlog) -> i64| backlog.as_ref().map_or(f64::NAN, |backlog| of(backlog) as f64);
        self.due.set(count(|backlog| backlog.due));
        self.held.set(count(|backlog| backlog.held));
        self.soon.set(count(|backlog| backlog.soon));
        self.in_hand.set(count(|backlog| backlog.in_hand));
        self.uncertain.set(count(|backlog| backlog.uncertain));
        self.lost.get_or_create(&[("state", "dead")]).set(count(|backlog| backlog.dead));
        self.lost.get_or_create(&[("state", "expired")]).set(count(|backlog| backlog.expired));
        self.oldest.set(backlog.map_or(f64::NAN, |backlog| backlog.oldest_seconds));
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and exact up to 2^53")]
        self.queued.set(outstanding.map_or(f64::NAN, |ids| ids as f64));
    }
}

/// Shows them at `address` until `stopped` turns true.
///
/// # Errors
/// When nobody can listen there.
pub(crate) fn show(
    mailer: &Arc<Mailer>,
    address: SocketAddr,
    queue: &Queue,
    stopped: watch::Receiver<bool>,
) -> Result<impl Future<Output = ()> + use<>, NotBound> {
    let listener = metrics::bind(address)?;
    let (mailer, queue) = (Arc::clone(mailer), queue.clone());
    let page = move || {
        let (mailer, queue) = (Arc::clone(&mailer), queue.clone());
        async move { mailer.meters.page(&mailer.db, &queue, &mailer.breaker).await }
    };
    Ok(metrics::serve(listener, page, stopped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_no_number() {
        let meters = Meters::default();
        meters.show(Some(Backlog { due: 3, ..Backlog::default() }), Some(7));
        assert!(metrics::render(&meters.registry).contains("taskbell_mails_due 3.0\n"));
        meters.show(None, None);
        let page = metrics::render(&meters.registry);
        assert!(
            page.contains("taskbell_mails_due NaN\n") && page.contains("taskbell_queue_outstanding NaN\n"),
            "{page}"
        );
    }

    #[test]
    fn what_is_folded_is_counted() {
        let meters = Meters::default();
        meters.folded(6);
        assert!(metrics::render(&meters.registry).contains("taskbell_mails_folded_total 6\n"));
    }

    #[test]
    fn the_breaker_is_one_while_it_is_open() {
        let meters = Meters::default();
        for (open, shown) in [(true, "1"), (false, "0")] {
            meters.breaker(open);
            let page = metrics::render(&meters.registry);
            assert!(page.contains(&format!("taskbell_relay_breaker_open {shown}\n")), "{page}");
        }
    }
}
