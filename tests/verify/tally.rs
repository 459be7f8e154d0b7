//! Figures: they are told, and nothing is asserted of them.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{
    journal::Journals,
    strikes::{Blow, Strike},
};

/// How late mails came, in milliseconds after their time.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Lateness {
    /// Each, in order.
    #[serde(skip)]
    pub each: Vec<i64>,
    /// The one in the middle.
    pub p50: i64,
    /// Later than 99 of 100.
    pub p99: i64,
    /// The last.
    pub max: i64,
}

/// The figures of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Tally {
    /// Of every first copy.
    pub lateness: Lateness,
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

impl Lateness {
    fn of(mut each: Vec<i64>) -> Self {
        each.sort_unstable();
        let at =
            |share: usize| each.get((each.len() * share / 100).min(each.len().saturating_sub(1))).copied().unwrap_or(0);
        Self { p50: at(50), p99: at(99), max: each.last().copied().unwrap_or(0), each }
    }
}

impl Tally {
    /// Of what was written down.
    #[must_use]
    pub fn of(journals: &Journals, strikes: &[Strike]) -> Self {
        let mut first: HashMap<Uuid, Timestamp> = HashMap::new();
        for mail in &journals.mails {
            if let Some(id) = mail.id() {
                first.entry(id).or_insert(mail.taken_at);
            }
        }
        let late = |delivery: &super::journal::Delivery| {
            let taken = first.get(&delivery.mail).filter(|_| delivery.state == "sent")?;
            Some((delivery.due_at, taken.duration_since(delivery.due_at).as_millis()))
        };
        let late: Vec<(Timestamp, i64)> = journals
            .deliveries
            .iter()
            .filter_map(late)
            .map(|(due_at, late)| (due_at, i64::try_from(late).unwrap_or(i64::MAX)))
            .collect();
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
            lateness: Lateness::of(late.iter().map(|(_, late)| *late).collect()),
        }
    }
}

impl Journals {
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
