//! Why a recurrence was refused.

use crate::input::Fault;

/// Why a recurrence was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecurrenceFault {
    /// Not `NAME=VALUE;NAME=VALUE`.
    #[error("must be a rule such as FREQ=WEEKLY;BYDAY=MO,FR")]
    NotARule,
    /// Longer than any rule that somebody means.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// A part that is not supported.
    #[error("knows only FREQ, INTERVAL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS, COUNT, UNTIL and WKST")]
    UnknownPart,
    /// A part that stands there twice.
    #[error("has {0} twice")]
    Twice(&'static str),
    /// A value that a part cannot have.
    #[error("{part} must be {rule}")]
    Value {
        /// The part.
        part: &'static str,
        /// What its values are.
        rule: &'static str,
    },
    /// Two ends.
    #[error("has COUNT or UNTIL, not both")]
    TwoEnds,
    /// `2MO` in a week.
    #[error("numbers in BYDAY, such as 2MO, need FREQ=MONTHLY or FREQ=YEARLY")]
    Ordinal,
    /// Days of the month in a week.
    #[error("BYMONTHDAY does not go with FREQ=WEEKLY")]
    MonthDayInWeek,
    /// A choice without anything to choose from.
    #[error("BYSETPOS needs BYDAY, BYMONTHDAY or BYMONTH beside it")]
    NothingToChoose,
    /// A date for a local time, or an instant for a date.
    #[error(
        "UNTIL must be a date such as 20261231 if the due value is a date, else an instant such as 20261231T080000Z"
    )]
    UntilForm,
    /// Over before it begins.
    #[error("UNTIL must not be before the due value")]
    UntilBeforeStart,
    /// 30 February.
    #[error("never occurs again")]
    Never,
    /// An instant has no calendar.
    #[error("needs a due value with a date, or with local and time_zone")]
    NeedsZone,
}

impl Fault for RecurrenceFault {
    fn code(&self) -> &'static str {
        match self {
            Self::NotARule => "not_a_recurrence_rule",
            Self::TooLong(_) => "too_long",
            Self::UnknownPart => "rule_part_unknown",
            Self::Twice(_) => "rule_part_twice",
            Self::Value { .. } => "rule_part_not_valid",
            Self::TwoEnds => "count_or_until",
            Self::Ordinal => "ordinal_needs_month",
            Self::MonthDayInWeek => "monthday_in_week",
            Self::NothingToChoose => "setpos_needs_choice",
            Self::UntilForm => "until_form",
            Self::UntilBeforeStart => "until_before_start",
            Self::Never => "recurs_never",
            Self::NeedsZone => "recurrence_needs_zone",
        }
    }
}
