//! Late reminders say so.

use common::time::TimeZoneName;
use jiff::{SignedDuration, Timestamp};

/// Later than this is marked.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// ` (delayed, was 09:00)` in the reader's zone, with the date where it was another day; nothing when in time. `written` is
/// the mail's own Date, not the present: the same content gives the same bytes.
pub(super) fn delay(due_at: Timestamp, written: Timestamp, zone: &TimeZoneName) -> String {
    if written.duration_since(due_at) <= PATIENCE {
        return String::new();
    }
    let due = due_at.to_zoned(zone.rules().clone());
    let same_day = due.date() == written.to_zoned(zone.rules().clone()).date();
    format!(" (delayed, was {})", due.strftime(if same_day { "%H:%M" } else { "%Y-%m-%d %H:%M" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delay_of(due_at: &str, written: &str) -> String {
        delay(due_at.parse().unwrap(), written.parse().unwrap(), &"Europe/Berlin".parse().unwrap())
    }

    #[test]
    fn five_minutes_are_forgiven() {
        assert_eq!(delay_of("2026-12-01T08:00:00Z", "2026-12-01T08:05:00Z"), "");
        assert_eq!(delay_of("2026-12-01T08:00:00Z", "2026-12-01T07:59:59Z"), "");
    }

    #[test]
    fn later_is_marked_in_the_readers_zone() {
        assert_eq!(delay_of("2026-12-01T08:00:00Z", "2026-12-01T08:05:01Z"), " (delayed, was 09:00)");
        // 23:30 on the first in UTC is half past midnight on the second in Berlin.
        assert_eq!(delay_of("2026-12-01T22:59:00Z", "2026-12-01T23:30:00Z"), " (delayed, was 2026-12-01 23:59)");
    }
}
