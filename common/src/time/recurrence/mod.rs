//! Recurrence: a subset of RFC 5545's RRULE, on the civil calendar of one zone (docs/adr/0019).
//!
//! `FREQ=DAILY|WEEKLY|MONTHLY|YEARLY` with `INTERVAL`, `BYMONTH`, `BYMONTHDAY`, `BYDAY`, `BYSETPOS`, `COUNT` or `UNTIL`,
//! and `WKST`. Judged by Python's dateutil (`common/tests/recurrence.rs`).

mod days;
mod fault;
mod parse;
mod rule;
mod series;
mod turn;

pub use fault::RecurrenceFault;
pub use rule::Rule;
pub use series::Series;
pub use turn::{Basis, Recurrence, Turn};
