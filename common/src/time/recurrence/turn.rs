//! A recurring task: what its due value becomes when it is completed.

use deserr::Deserr;
use jiff::{Zoned, civil};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    RecurrenceFault, Series,
    rule::{End, Rule},
};
use crate::{input::Faults, time::Due};

/// How a task comes round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Recurrence {
    /// An RRULE.
    pub rule: Rule,
    /// From when the next one counts.
    #[deserr(default)]
    pub from: Basis,
}

/// From when the next occurrence counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserr, ToSchema)]
#[serde(rename_all = "lowercase")]
#[deserr(error = Faults, rename_all = lowercase)]
pub enum Basis {
    /// The rule's own days, whenever it is done.
    #[default]
    Schedule,
    /// The day on which it is done.
    Completion,
}

/// What a completed task has next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its due value.
    pub due: Due,
    /// From when on the rule counts, for storing; of a date, midnight.
    pub start: civil::DateTime,
}

impl Basis {
    /// As it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Completion => "completion",
        }
    }
}

impl Recurrence {
    /// What was stored.
    #[must_use]
    pub fn stored(rule: &str, basis: &str) -> Option<Self> {
        let from = [Basis::Schedule, Basis::Completion].into_iter().find(|known| known.as_str() == basis)?;
        Some(Self { rule: rule.parse().ok()?, from })
    }

    /// From when on the rule counts if the first due value is `due`, for storing; of a date, midnight.
    ///
    /// # Errors
    /// What [`Series::new`] refuses.
    pub fn start(&self, due: &Due) -> Result<civil::DateTime, RecurrenceFault> {
        Series::new(&self.rule, due)?;
        Series::start(due)
    }

    /// What comes after `due`, the `occurrence`th (from 1), which is completed now; nothing if that was the last. `now` is in the
    /// zone of whoever completes it: there a date is today or is not.
    ///
    /// On schedule, occurrences that were missed are skipped. From completion, the series begins anew on the day of completion, at its
    /// time of day, and the first one after that is next.
    #[must_use]
    pub fn turn(&self, start: civil::DateTime, due: &Due, occurrence: i32, now: &Zoned) -> Option<Turn> {
        match self.from {
            Basis::Schedule => {
                let due = Series::stored(&self.rule, start, due).ok()?.next_due(due, now)?;
                Some(Turn { due, start })
            }
            Basis::Completion => {
                let day = match due {
                    Due::Local { time_zone, .. } => now.with_time_zone(time_zone.rules().clone()).date(),
                    Due::Date { .. } | Due::At { .. } => now.date(),
                };
                let start = day.to_datetime(start.time());
                // A series that begins anew would count anew.
                let rule = match self.rule.end {
                    End::Count(count) if occurrence >= i32::from(count) => return None,
                    End::Count(_) => Rule { end: End::Never, ..self.rule.clone() },
                    End::Never | End::Until(_) | End::UntilInstant(_) => self.rule.clone(),
                };
                let due = Series::stored(&rule, start, due).ok()?.occurrences().nth(1)?;
                Some(Turn { due, start })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::read;
    use serde_json::json;

    fn due(value: serde_json::Value) -> Due {
        read(value).unwrap()
    }

    fn turn(rule: &str, from: &str, first: &Due, now: &Due, occurrence: i32, at: &str) -> Option<String> {
        let recurrence = Recurrence::stored(rule, from).unwrap();
        let start = recurrence.start(first).unwrap();
        let turn = recurrence.turn(start, now, occurrence, &at.parse().unwrap())?;
        Some(
            serde_json::to_value(turn.due)
                .unwrap()
                .as_object()
                .unwrap()
                .values()
                .next()
                .unwrap()
                .as_str()
                .unwrap()
                .into(),
        )
    }

    #[test]
    fn missed_occurrences_are_skipped_and_a_date_is_missed_when_its_day_is_over() {
        let first = due(json!({"date": "2026-11-02"}));
        let next = |at| turn("FREQ=WEEKLY;BYDAY=MO", "schedule", &first, &first, 1, at).unwrap();
        assert_eq!(next("2026-11-01T12:00[Europe/Berlin]"), "2026-11-09");
        assert_eq!(next("2026-11-16T23:59[Europe/Berlin]"), "2026-11-16");
        assert_eq!(next("2026-11-17T00:00[Europe/Berlin]"), "2026-11-23");
        let first = due(json!({"local": "2026-11-02T09:00", "time_zone": "Europe/Berlin"}));
        let next = |at| turn("FREQ=WEEKLY;BYDAY=MO", "schedule", &first, &first, 1, at).unwrap();
        assert_eq!(next("2026-11-16T07:59[UTC]"), "2026-11-16T09:00:00");
        assert_eq!(next("2026-11-16T08:00[UTC]"), "2026-11-23T09:00:00");
    }

    #[test]
    fn from_completion_the_days_count_from_the_day_on_which_it_is_done() {
        let first = due(json!({"local": "2026-11-02T09:00", "time_zone": "Asia/Tokyo"}));
        let next = |rule, at| turn(rule, "completion", &first, &first, 1, at).unwrap();
        // In Tokyo it is the sixth already.
        assert_eq!(next("FREQ=DAILY;INTERVAL=3", "2026-11-05T20:00[UTC]"), "2026-11-09T09:00:00");
        assert_eq!(next("FREQ=WEEKLY", "2026-11-05T10:00[UTC]"), "2026-11-12T09:00:00");
        assert_eq!(next("FREQ=WEEKLY;BYDAY=MO", "2026-11-09T10:00[UTC]"), "2026-11-16T09:00:00");
        // Done early, it comes early.
        assert_eq!(next("FREQ=DAILY;INTERVAL=3", "2026-10-20T10:00[UTC]"), "2026-10-23T09:00:00");
    }

    #[test]
    fn the_last_one_is_the_last_one_from_completion_too() {
        let first = due(json!({"date": "2026-11-02"}));
        for from in ["schedule", "completion"] {
            let next = |now: &str, nth| {
                let now = due(json!({"date": now}));
                turn("FREQ=DAILY;COUNT=3", from, &first, &now, nth, "2026-11-02T12:00[UTC]")
            };
            assert_eq!(next("2026-11-02", 1).as_deref(), Some("2026-11-03"), "{from}");
            assert_eq!(next("2026-11-04", 3), None, "{from}");
        }
        let until = |at| turn("FREQ=DAILY;INTERVAL=5;UNTIL=20261110", "completion", &first, &first, 1, at);
        assert_eq!(until("2026-11-05T12:00[UTC]").as_deref(), Some("2026-11-10"));
        assert_eq!(until("2026-11-06T12:00[UTC]"), None);
        assert_eq!(until("2026-12-06T12:00[UTC]"), None);
    }

    #[test]
    fn a_recurrence_says_what_is_wrong_with_it() {
        let fault = |value| {
            let faults = read::<Recurrence>(value).unwrap_err().0;
            (faults[0].pointer.clone(), faults[0].code)
        };
        assert_eq!(fault(json!({"rule": "FREQ=SECONDLY"})), ("/rule".into(), "rule_part_not_valid"));
        assert_eq!(fault(json!({"rule": "FREQ=DAILY", "from": "birth"})), ("/from".into(), "not_one_of"));
        assert_eq!(fault(json!({"from": "schedule"})), ("/rule".into(), "missing"));
        assert_eq!(read::<Recurrence>(json!({"rule": "FREQ=DAILY"})).unwrap().from, Basis::Schedule);
    }
}
