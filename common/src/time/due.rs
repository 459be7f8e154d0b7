//! When a task is due, and when a reminder is.

use std::ops::RangeInclusive;

use deserr::Deserr;
use jiff::{
    RoundMode, Timestamp, Unit, Zoned,
    civil::{self, DateTimeRound},
    tz::TimeZone,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Instant, Offset, TimeFault, TimeZoneName,
    written::{Day, LocalTime},
};
use crate::input::Faults;

/// A due value in one of its three forms. A date is due until the end of the reader's local day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserr, ToSchema)]
#[serde(untagged)]
#[deserr(error = Faults, try_from(RawPoint) = Due::try_from -> TimeFault)]
pub enum Due {
    /// A day.
    Date {
        /// The day.
        #[schema(value_type = Day)]
        date: civil::Date,
    },
    /// A time on somebody's wall clock.
    Local {
        /// What the clock shows.
        #[schema(value_type = LocalTime)]
        local: civil::DateTime,
        /// Where it hangs.
        time_zone: TimeZoneName,
    },
    /// An instant.
    At {
        /// The instant.
        #[schema(value_type = Instant)]
        at: Timestamp,
    },
}

/// When a reminder is: relative to the due value, or by itself.
#[derive(Clone, Debug, Serialize, Deserr, ToSchema)]
#[serde(untagged)]
#[deserr(error = Faults, try_from(RawPoint) = When::try_from -> TimeFault)]
pub enum When {
    /// Before (negative) or after the due value.
    Offset {
        /// How long.
        offset: Offset,
    },
    /// A time on somebody's wall clock.
    Local {
        /// What the clock shows.
        #[schema(value_type = LocalTime)]
        local: civil::DateTime,
        /// Where it hangs.
        time_zone: TimeZoneName,
    },
    /// An instant.
    At {
        /// The instant.
        #[schema(value_type = Instant)]
        at: Timestamp,
    },
}

impl Due {
    /// The zoned moment from which offsets count, for a person in `zone` who is told of dates at `hour`.
    ///
    /// # Errors
    /// [`TimeFault::OutOfRange`].
    pub fn anchor(&self, zone: &TimeZone, hour: civil::Time) -> Result<Zoned, TimeFault> {
        match self {
            Self::Date { date } => date.to_datetime(hour).to_zoned(zone.clone()).map_err(|_| TimeFault::OutOfRange),
            Self::Local { local, time_zone } => {
                local.to_zoned(time_zone.rules().clone()).map_err(|_| TimeFault::OutOfRange)
            }
            Self::At { at } => Ok(at.to_zoned(zone.clone())),
        }
    }

    /// An offset from it, for a person in `zone` who is told of dates at `hour`. Days are counted from what the clock shows, also where it
    /// never shows that: a day before a time in a gap keeps the time of day.
    fn offset(&self, offset: Offset, zone: &TimeZone, hour: civil::Time) -> Result<Timestamp, TimeFault> {
        match self {
            Self::Date { date } => offset.from_local(date.to_datetime(hour), zone),
            Self::Local { local, time_zone } => offset.from_local(*local, time_zone.rules()),
            Self::At { at } => offset.from_anchor(&at.to_zoned(zone.clone())),
        }
    }

    /// For a reader in `zone`: `2026-12-01 09:00 (Europe/Berlin)`.
    #[must_use]
    pub fn in_words(&self, zone: &TimeZoneName) -> String {
        match self {
            Self::Date { date } => date.to_string(),
            Self::Local { local, time_zone } => format!("{} ({time_zone})", local.strftime("%Y-%m-%d %H:%M")),
            Self::At { at } => format!("{} ({zone})", at.to_zoned(zone.rules().clone()).strftime("%Y-%m-%d %H:%M")),
        }
    }
}

impl Due {
    /// Whether something that begins then would begin after it is due. A date begins and ends with its day, in the zone of the other
    /// value; a date and an instant cannot be compared.
    #[must_use]
    pub fn is_before(&self, start: &Self) -> bool {
        match (start, self) {
            (Self::Date { date: start }, Self::Date { date: due }) => start > due,
            (Self::Date { date: start }, Self::Local { local: due, .. }) => *start > due.date(),
            (Self::Local { local: start, .. }, Self::Date { date: due }) => start.date() > *due,
            (Self::Date { .. }, Self::At { .. }) | (Self::At { .. }, Self::Date { .. }) => false,
            (start, due) => {
                let instant = |due: &Self| due.anchor(&TimeZone::UTC, civil::Time::midnight()).map(|at| at.timestamp());
                matches!((instant(start), instant(due)), (Ok(start), Ok(due)) if start > due)
            }
        }
    }

    /// The same time so many days later as `after` is after `before`; as it is where that cannot be said.
    #[must_use]
    pub fn moved_like(&self, before: &Self, after: &Self) -> Self {
        let day = |due: &Self| match due {
            Self::Date { date } => *date,
            Self::Local { local, .. } => local.date(),
            Self::At { at } => at.to_zoned(TimeZone::UTC).date(),
        };
        let Ok(days) = day(before).until((Unit::Day, day(after))) else { return self.clone() };
        let moved = match self {
            Self::Date { date } => date.checked_add(days).ok().map(|date| Self::Date { date }),
            Self::Local { local, time_zone } => {
                local.checked_add(days).ok().map(|local| Self::Local { local, time_zone: time_zone.clone() })
            }
            Self::At { at } => {
                at.to_zoned(TimeZone::UTC).checked_add(days).ok().map(|at| Self::At { at: at.timestamp() })
            }
        };
        moved.unwrap_or_else(|| self.clone())
    }
}

impl When {
    /// The instant for a person in `zone` who is told of dates at `hour`; none for an offset without a due value.
    ///
    /// # Errors
    /// [`TimeFault::OutOfRange`].
    pub fn instant(
        &self,
        due: Option<&Due>,
        zone: &TimeZone,
        hour: civil::Time,
    ) -> Result<Option<Timestamp>, TimeFault> {
        match (self, due) {
            (Self::Offset { offset }, Some(due)) => due.offset(*offset, zone, hour).map(Some),
            (Self::Offset { .. }, None) => Ok(None),
            (Self::Local { local, time_zone }, _) => {
                let zoned = local.to_zoned(time_zone.rules().clone()).map_err(|_| TimeFault::OutOfRange)?;
                Ok(Some(zoned.timestamp()))
            }
            (Self::At { at }, _) => Ok(Some(*at)),
        }
    }
}

/// What JSON says before the form is known.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
struct RawPoint {
    #[deserr(default)]
    date: Option<String>,
    #[deserr(default)]
    local: Option<String>,
    #[deserr(default)]
    time_zone: Option<TimeZoneName>,
    #[deserr(default)]
    at: Option<String>,
    #[deserr(default)]
    offset: Option<Offset>,
}

impl TryFrom<RawPoint> for Due {
    type Error = TimeFault;

    fn try_from(raw: RawPoint) -> Result<Self, TimeFault> {
        match raw {
            RawPoint { date: Some(date), local: None, time_zone: None, at: None, offset: None } => {
                Ok(Self::Date { date: day(&date)? })
            }
            RawPoint { date: None, local: Some(local), time_zone: Some(time_zone), at: None, offset: None } => {
                Ok(Self::Local { local: local_time(&local)?, time_zone })
            }
            RawPoint { date: None, local: None, time_zone: None, at: Some(at), offset: None } => {
                Ok(Self::At { at: instant(&at)? })
            }
            RawPoint { date: None, at: None, offset: None, local, time_zone }
                if local.is_some() != time_zone.is_some() =>
            {
                Err(TimeFault::ZoneAndLocal)
            }
            _ => Err(TimeFault::OneForm("date; at; local with time_zone")),
        }
    }
}

impl TryFrom<RawPoint> for When {
    type Error = TimeFault;

    fn try_from(raw: RawPoint) -> Result<Self, TimeFault> {
        match raw {
            RawPoint { offset: Some(offset), date: None, local: None, time_zone: None, at: None } => {
                Ok(Self::Offset { offset })
            }
            RawPoint { offset: Some(_), .. } => Err(TimeFault::OneForm("offset; at; local with time_zone")),
            raw => match Due::try_from(raw)? {
                Due::Local { local, time_zone } => Ok(Self::Local { local, time_zone }),
                Due::At { at } => Ok(Self::At { at }),
                Due::Date { .. } => Err(TimeFault::OneForm("offset; at; local with time_zone")),
            },
        }
    }
}

/// `2026-12-01`, and nothing around it: of a moment somewhere the day would be a guess.
pub(super) fn day(text: &str) -> Result<civil::Date, TimeFault> {
    let plain = text.len() == 10 && text.chars().all(|c| c.is_ascii_digit() || c == '-');
    let date = if plain { text.parse().map_err(|_| TimeFault::NotADate)? } else { return Err(TimeFault::NotADate) };
    in_range(date)
}

/// `2026-12-01T09:00`, and nothing that names an offset or a zone: that would be a second truth.
fn local_time(text: &str) -> Result<civil::DateTime, TimeFault> {
    let plain = text.contains('T')
        && !text.ends_with(['Z', 'z'])
        && !text.contains(['[', '+'])
        && text.matches('-').count() == 2;
    if !plain {
        return Err(TimeFault::NotALocalTime);
    }
    let local: civil::DateTime = text.parse().map_err(|_| TimeFault::NotALocalTime)?;
    in_range(local.date())?;
    // What Postgres keeps.
    let micro = DateTimeRound::new().smallest(Unit::Microsecond).mode(RoundMode::Trunc);
    local.round(micro).map_err(|_| TimeFault::OutOfRange)
}

pub(super) fn instant(text: &str) -> Result<Timestamp, TimeFault> {
    let at: Timestamp = text.parse().map_err(|_| TimeFault::NotAnInstant)?;
    // As it is written: what counts is not the year that it is in London.
    let written = text.get(..4).and_then(|year| year.parse().ok()).ok_or(TimeFault::NotAnInstant)?;
    if !YEARS.contains(&written) {
        return Err(TimeFault::OutOfRange);
    }
    Timestamp::from_microsecond(at.as_microsecond()).map_err(|_| TimeFault::OutOfRange)
}

/// Years that people and Postgres both write with four digits, wherever on Earth.
const YEARS: RangeInclusive<i16> = 1970..=9998;

fn in_range(date: civil::Date) -> Result<civil::Date, TimeFault> {
    if YEARS.contains(&date.year()) { Ok(date) } else { Err(TimeFault::OutOfRange) }
}

/// The columns of a due value (`tasks`).
#[derive(Clone, Debug, Default)]
pub struct DueColumns {
    /// A date.
    pub on: Option<jiff_sqlx::Date>,
    /// A local time.
    pub local: Option<jiff_sqlx::DateTime>,
    /// Its zone.
    pub zone: Option<String>,
    /// The instant, of a local time too.
    pub at: Option<jiff_sqlx::Timestamp>,
}

impl DueColumns {
    /// For storing.
    ///
    /// # Errors
    /// [`TimeFault::OutOfRange`].
    pub fn of(due: Option<&Due>) -> Result<Self, TimeFault> {
        Ok(match due {
            None => Self::default(),
            Some(Due::Date { date }) => Self { on: Some((*date).into()), ..Self::default() },
            Some(Due::At { at }) => Self { at: Some((*at).into()), ..Self::default() },
            Some(due @ Due::Local { local, time_zone }) => Self {
                on: None,
                local: Some((*local).into()),
                zone: Some(time_zone.to_string()),
                at: Some(due.anchor(&TimeZone::UTC, civil::Time::midnight())?.timestamp().into()),
            },
        })
    }

    /// What was stored.
    #[must_use]
    pub fn due(self) -> Option<Due> {
        match self {
            Self { on: Some(date), .. } => Some(Due::Date { date: date.to_jiff() }),
            Self { local: Some(local), zone: Some(zone), .. } => {
                Some(Due::Local { local: local.to_jiff(), time_zone: TimeZoneName::stored(&zone) })
            }
            Self { at: Some(at), .. } => Some(Due::At { at: at.to_jiff() }),
            _ => None,
        }
    }
}

/// The columns of a reminder's time (`reminders`).
#[derive(Clone, Debug, Default)]
pub struct WhenColumns {
    /// An offset.
    pub offset: Option<String>,
    /// A local time.
    pub local: Option<jiff_sqlx::DateTime>,
    /// Its zone.
    pub zone: Option<String>,
    /// An instant.
    pub at: Option<jiff_sqlx::Timestamp>,
}

impl From<&When> for WhenColumns {
    fn from(when: &When) -> Self {
        match when {
            When::Offset { offset } => Self { offset: Some(offset.to_string()), ..Self::default() },
            When::At { at } => Self { at: Some((*at).into()), ..Self::default() },
            When::Local { local, time_zone } => {
                Self { local: Some((*local).into()), zone: Some(time_zone.to_string()), ..Self::default() }
            }
        }
    }
}

impl WhenColumns {
    /// What was stored.
    #[must_use]
    pub fn when(self) -> Option<When> {
        match self {
            Self { offset: Some(offset), .. } => Some(When::Offset { offset: offset.parse().ok()? }),
            Self { local: Some(local), zone: Some(zone), .. } => {
                Some(When::Local { local: local.to_jiff(), time_zone: TimeZoneName::stored(&zone) })
            }
            Self { at: Some(at), .. } => Some(When::At { at: at.to_jiff() }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::read;

    fn due(value: serde_json::Value) -> Result<Due, &'static str> {
        read::<Due>(value).map_err(|faults| faults.0[0].code)
    }

    #[test]
    fn a_due_value_has_one_of_three_forms_and_a_bare_local_time_is_refused() {
        use serde_json::json;
        assert!(matches!(due(json!({"date": "2026-12-01"})), Ok(Due::Date { .. })));
        assert!(matches!(
            due(json!({"local": "2026-12-01T09:00", "time_zone": "Europe/Berlin"})),
            Ok(Due::Local { .. })
        ));
        assert!(matches!(due(json!({"at": "2026-12-01T09:00:00+01:00"})), Ok(Due::At { .. })));
        assert_eq!(due(json!({"local": "2026-12-01T09:00"})), Err("local_needs_zone"));
        assert_eq!(due(json!({"local": "2026-12-01T09:00Z", "time_zone": "UTC"})), Err("not_a_local_time"));
        assert_eq!(due(json!({"local": "2026-12-01T09:00", "time_zone": "Mars/Olympus"})), Err("not_a_time_zone"));
        assert_eq!(due(json!({"at": "2026-12-01T09:00:00"})), Err("not_an_instant"));
        assert_eq!(due(json!({"date": "2026-02-30"})), Err("not_a_date"));
        assert_eq!(due(json!({"date": "2026-12-01", "at": "2026-12-01T09:00:00Z"})), Err("one_form"));
        assert_eq!(due(json!({})), Err("one_form"));
        assert_eq!(due(json!({"date": "2026-12-01T23:00-05:00[America/New_York]"})), Err("not_a_date"));
        assert_eq!(due(json!({"date": "20261201"})), Err("not_a_date"));
        let Ok(Due::At { at }) = due(json!({"at": "2026-12-01T09:00:00.123456789Z"})) else { panic!("an instant") };
        assert_eq!(at.to_string(), "2026-12-01T09:00:00.123456Z");
        assert_eq!(due(json!({"at": "-009000-01-01T00:00:00Z"})), Err("out_of_range"));
        assert_eq!(due(json!({"date": "9999-12-31"})), Err("out_of_range"));
    }

    #[test]
    fn an_offset_of_a_date_counts_from_the_readers_own_morning() {
        let due = due(serde_json::json!({"date": "2026-12-01"})).unwrap();
        let when: When = read(serde_json::json!({"offset": "-P1D"})).unwrap();
        let nine = civil::time(9, 0, 0, 0);
        for (zone, expected) in [("Europe/Berlin", "2026-11-30T08:00:00Z"), ("Asia/Tokyo", "2026-11-30T00:00:00Z")] {
            let zone = TimeZone::get(zone).unwrap();
            assert_eq!(when.instant(Some(&due), &zone, nine).unwrap().unwrap().to_string(), expected);
        }
    }
}
