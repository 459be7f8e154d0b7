//! Figures: they are told, and nothing is asserted of them.

use std::collections::HashMap;

use ::report::Lateness;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{
    journal::{Delivery, Journals},
    strikes::{Blow, Strike},
};

/// How late mails came, in milliseconds after their time.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Figures {
    /// How many.
    pub count: u64,
    /// The one in the middle.
    pub p50: i64,
    /// Not exceeded by 99 of 100.
    pub p99: i64,
    /// The last.
    pub max: i64,
}

/// The figures of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Tally {
    /// Of every first copy.
    pub lateness: Figures,
    /// The same, each.
    #[serde(skip)]
    pub late: Lateness,
    /// Mails that came in a second, from the first time at which one was due to the last that came.
    pub a_second: f64,
    /// How often each thing broke.
    pub blows: HashMap<String, usize>,
    /// Mails in `sending` at a kill.
    pub in_sending: usize,
    /// Seconds from a kill to the mail that the dead worker had claimed, the longest.
    pub claimed_recovered: Option<f64>,
    /// Seconds from a kill to the mail that the dead worker was sending, the longest.
    pub sending_recovered: Option<f64>,
    /// Seconds by which a mail was late that fell due around a blow to Redis, the longest.
    pub redis_recovered: Option<f64>,
    /// Seconds from Postgres' return to the first mail, the longest.
    pub postgres_recovered: Option<f64>,
}

impl Figures {
    /// Of what there is.
    #[must_use]
    pub fn of(late: &Lateness) -> Self {
        let at = |share| late.percentile(share).unwrap_or_default();
        Self { count: late.count(), p50: at(0.5), p99: at(0.99), max: late.max().unwrap_or_default() }
    }
}

impl Tally {
    /// Of what was written down.
    #[must_use]
    pub fn of(journals: &Journals, strikes: &[Strike]) -> Self {
        let late: Vec<(Timestamp, i64)> =
            journals.late().into_iter().map(|(delivery, late)| (delivery.due_at, late)).collect();
        let counted: Lateness = late.iter().map(|(_, late)| *late).collect();
        let mut blows: HashMap<String, usize> = HashMap::new();
        for strike in strikes {
            *blows.entry(format!("{:?}", strike.blow)).or_default() += 1;
        }
        let since = |at: Timestamp, then: &Timestamp| then.duration_since(at).as_secs_f64();
        let recovered = |of: fn(&Strike) -> &[Uuid]| {
            let each = strikes.iter().flat_map(|strike| {
                // Taken before the kill, it had nothing to recover from.
                let later = of(strike).iter().filter_map(|id| journals.taken_after(*id, strike.at));
                later.map(|taken| since(strike.at, &taken)).collect::<Vec<f64>>()
            });
            longest(each)
        };
        let redis = strikes.iter().filter(|strike| matches!(strike.blow, Blow::FlushAll | Blow::KillRedis));
        let redis = redis.flat_map(|strike| {
            let near = |due_at: &Timestamp| (-2.0..4.0).contains(&since(strike.at, due_at));
            late.iter().filter(|(due_at, _)| near(due_at)).map(|(_, late)| seconds(*late)).collect::<Vec<f64>>()
        });
        let postgres = strikes.iter().filter(|strike| strike.blow == Blow::StopPostgres);
        let postgres = postgres.filter_map(|strike| {
            let next =
                journals.mails.iter().map(|mail| mail.taken_at).filter(|taken| *taken > strike.mended_at).min()?;
            Some(since(strike.mended_at, &next))
        });
        Self {
            in_sending: strikes.iter().map(|strike| strike.sending.len()).sum(),
            claimed_recovered: recovered(|strike| &strike.claimed),
            sending_recovered: recovered(|strike| &strike.sending),
            redis_recovered: longest(redis),
            postgres_recovered: longest(postgres),
            blows,
            lateness: Figures::of(&counted),
            late: counted,
            a_second: journals.a_second(),
        }
    }
}

impl Journals {
    /// By how many milliseconds each was late that was sent: the first copy of its mail.
    #[must_use]
    pub fn late(&self) -> Vec<(&Delivery, i64)> {
        let mut first: HashMap<Uuid, Timestamp> = HashMap::new();
        for mail in &self.mails {
            if let Some(id) = mail.id() {
                first.entry(id).or_insert(mail.taken_at);
            }
        }
        let late = |delivery: &Delivery| {
            let taken = first.get(&delivery.mail).filter(|_| delivery.state == "sent")?;
            i64::try_from(taken.duration_since(delivery.due_at).as_millis()).ok()
        };
        self.deliveries.iter().filter_map(|delivery| late(delivery).map(|late| (delivery, late))).collect()
    }

    fn a_second(&self) -> f64 {
        let first = self.late().iter().map(|(delivery, _)| delivery.due_at).min();
        let last = self.mails.iter().map(|mail| mail.taken_at).max();
        let (Some(first), Some(last)) = (first, last) else { return 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "a few hundred thousand at most")]
        let mails = self.mails.len() as f64;
        mails / last.duration_since(first).as_secs_f64().max(0.001)
    }

    fn taken_after(&self, id: Uuid, at: Timestamp) -> Option<Timestamp> {
        let taken = self.mails.iter().filter(|mail| mail.taken_at > at && mail.id() == Some(id));
        taken.map(|mail| mail.taken_at).min()
    }
}

fn seconds(millis: i64) -> f64 {
    std::time::Duration::from_millis(millis.unsigned_abs()).as_secs_f64()
}

fn longest(each: impl Iterator<Item = f64>) -> Option<f64> {
    each.reduce(f64::max)
}
