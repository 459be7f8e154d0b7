//! What can be wrong with a line that is well-formed by itself.

use crate::input::{Fault, FieldFault};

/// Why a line was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::exchange) enum ImportFault {
    #[error("is not a line of an export: an object with a known `type`")]
    NotALine,
    #[error("is not JSON")]
    NotJson,
    #[error("is of a version that is not known here")]
    OtherVersion,
    #[error("must stand first, and nowhere else: `{{\"type\": \"taskbell\", …}}`")]
    Header,
    #[error("is not the address of an active member (`unknown_people=skip` leaves them out)")]
    UnknownPerson,
    #[error("is no project of an earlier line")]
    UnknownProject,
    #[error("is no label of this project on an earlier line")]
    UnknownLabel,
    #[error("is no task of this project on an earlier line")]
    UnknownTask,
    #[error("was there on an earlier line")]
    Repeated,
    #[error("is the key of a project of this organization (`taken_keys=rename` gives it another)")]
    KeyTaken,
    #[error("hangs under a task that hangs under a task")]
    TooDeep,
    #[error("must be a whole number from {0} to {1}")]
    OutOfBounds(i32, i32),
    #[error("goes with status `completed`, which goes with it")]
    Completion,
    #[error("needs a due value that is a date or a local time")]
    RecurrenceWithoutDue,
    #[error("an offset needs the task to be due")]
    OffsetWithoutDue,
    #[error("is more than there may be: {0}")]
    TooMany(u32),
    #[error("must be a decimal number")]
    NotAPosition,
    #[error("must not be empty")]
    Empty,
    #[error("is not a column of a table of tasks")]
    UnknownColumn,
    #[error("is missing from the first line")]
    MissingColumn,
    #[error("has another number of cells than the first line, or is not UTF-8")]
    NotARow,
}

impl Fault for ImportFault {
    fn code(&self) -> &'static str {
        match self {
            Self::NotALine => "not_a_line",
            Self::NotJson => "malformed_json",
            Self::OtherVersion => "other_version",
            Self::Header => "header",
            Self::UnknownPerson => "unknown_person",
            Self::UnknownProject => "unknown_project",
            Self::UnknownLabel => "unknown_label",
            Self::UnknownTask => "unknown_task",
            Self::Repeated => "repeated",
            Self::KeyTaken => "key_taken",
            Self::TooDeep => "too_deep",
            Self::OutOfBounds(..) => "out_of_range",
            Self::Completion => "completion",
            Self::RecurrenceWithoutDue => "recurrence_needs_zone",
            Self::OffsetWithoutDue => "offset_without_due",
            Self::TooMany(_) => "too_many",
            Self::NotAPosition => "not_a_position",
            Self::Empty => "empty",
            Self::UnknownColumn => "unknown",
            Self::MissingColumn => "missing",
            Self::NotARow => "not_a_row",
        }
    }
}

/// How many faults of one file are told.
const MOST: usize = 100;

/// What was found wrong so far, line by line.
#[derive(Debug, Default)]
pub(in crate::exchange) struct Complaints(pub(in crate::exchange) Vec<FieldFault>);

impl Complaints {
    /// Enough to be told.
    pub(in crate::exchange) fn are_enough(&self) -> bool {
        self.0.len() >= MOST
    }

    pub(in crate::exchange) fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    pub(in crate::exchange) fn add(&mut self, line: u32, field: &str, fault: &impl Fault) {
        self.push(line, FieldFault { pointer: field.to_owned(), code: fault.code(), detail: fault.to_string() });
    }

    /// A fault of the line's own.
    pub(in crate::exchange) fn push(&mut self, line: u32, fault: FieldFault) {
        if !self.are_enough() {
            self.0.push(FieldFault { pointer: format!("/lines/{line}{}", fault.pointer), ..fault });
        }
    }
}
