//! What clients say of tasks: a new one, and changes of one.

use std::{convert::Infallible, str::FromStr};

use deserr::{Deserr, IntoValue, MergeWithError, Value, ValuePointerRef};
use utoipa::ToSchema;

use super::{TaskRef, TaskStatus};
use crate::{
    ids::{AccountId, LabelId, ProjectId},
    input::{Fault, Faults, FieldFault, Given, Patch, parsed_field},
    reminders::{self, NewReminder},
    text::{Description, Title},
    time::{Due, Recurrence},
};

/// How many people one task is given to, and how many labels it has, at most.
const MOST: usize = 50;

/// A task to be.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewTask {
    /// Where.
    pub project: ProjectId,
    /// One line.
    pub title: Title,
    /// Markdown.
    #[deserr(default)]
    pub description: Option<Description>,
    /// Open unless said.
    #[deserr(default)]
    pub status: Option<Stage>,
    /// None unless said.
    #[deserr(default)]
    pub priority: Option<Priority>,
    /// From when.
    #[deserr(default)]
    pub start: Option<Due>,
    /// Until when.
    #[deserr(default)]
    pub due: Option<Due>,
    /// How it comes round.
    #[deserr(default)]
    pub recurrence: Option<Recurrence>,
    /// By whom.
    #[deserr(default)]
    #[schema(max_items = 50)]
    pub assignees: Vec<AccountId>,
    /// Labels of the project, by id or name.
    #[deserr(default)]
    #[schema(max_items = 50)]
    pub labels: Vec<LabelRef>,
    /// What it is a part of: a task of the same project that is no part itself.
    #[deserr(default)]
    #[schema(example = json!(null))]
    pub parent: Option<TaskRef>,
    /// Who is told, and when. Without it, a task that is due gets the default reminders of whoever creates it, else of the organization.
    #[deserr(default)]
    #[schema(value_type = Vec<NewReminder>)]
    pub reminders: Option<Vec<NewReminder>>,
}

/// A change of a task: what is absent stays, null clears, lists and due values are replaced whole.
#[derive(Debug, Default, Deserr, ToSchema)]
#[schema(example = json!({ "title": "Pay the rent", "priority": 3, "due": { "date": "2031-03-01" } }))]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct TaskChanges {
    /// Moves it, with its parts, to another project.
    #[deserr(default)]
    pub project: Given<ProjectId>,
    /// One line.
    #[deserr(default)]
    pub title: Given<Title>,
    /// Markdown.
    #[deserr(default)]
    pub description: Patch<Description>,
    /// How it stands.
    #[deserr(default)]
    pub status: Given<Stage>,
    /// How urgent it is.
    #[deserr(default)]
    pub priority: Patch<Priority>,
    /// From when.
    #[deserr(default)]
    pub start: Patch<Due>,
    /// Until when.
    #[deserr(default)]
    pub due: Patch<Due>,
    /// How it comes round.
    #[deserr(default)]
    pub recurrence: Patch<Recurrence>,
    /// By whom.
    #[deserr(default)]
    #[schema(max_items = 50)]
    pub assignees: Patch<Vec<AccountId>>,
    /// Labels of the project, by id or name.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<LabelRef>>, max_items = 50)]
    pub labels: Patch<Vec<LabelRef>>,
    /// What it is a part of.
    #[deserr(default)]
    pub parent: Patch<TaskRef>,
}

/// How a task stands that is not done: to complete it, and to open it again, is a deed of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserr, ToSchema)]
#[schema(rename_all = "snake_case")]
#[deserr(rename_all = lowercase, error = Faults)]
pub enum Stage {
    /// To do.
    Open,
    /// Somebody is at it.
    #[deserr(rename = "in_progress")]
    InProgress,
    /// For something or somebody.
    Waiting,
}

impl From<Stage> for TaskStatus {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Open => Self::Open,
            Stage::InProgress => Self::InProgress,
            Stage::Waiting => Self::Waiting,
        }
    }
}

/// How urgent: 0 is none, 4 is urgent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ToSchema)]
#[schema(value_type = i16, minimum = 0, maximum = 4, example = 2)]
pub struct Priority(pub(super) i16);

impl Deserr<Faults> for Priority {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef) -> Result<Self, Faults> {
        let number = match value {
            // JSON has numbers, and 2.0 is 2; -1 is none, as 2.5 is.
            Value::Float(number) => {
                // To the bit, and with zero added, which makes -0.0 the zero that it is.
                let whole = (0..=4).find(|whole| f64::from(*whole).to_bits() == (number + 0.0).to_bits());
                whole.map_or(-1, i64::from)
            }
            value => <i64 as Deserr<Faults>>::deserialize_from_value(value, place)?,
        };
        number.try_into().map_err(|fault: TaskFault| {
            deserr::take_cf_content(<Faults as MergeWithError<_>>::merge(None, fault, place))
        })
    }
}

impl TryFrom<i64> for Priority {
    type Error = TaskFault;

    fn try_from(number: i64) -> Result<Self, TaskFault> {
        match i16::try_from(number) {
            Ok(number @ 0..=4) => Ok(Self(number)),
            _ => Err(TaskFault::Priority),
        }
    }
}

/// A label of the project: its id, or its name in whatever case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelRef(pub(super) Named);

/// How a label is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Id(LabelId),
    Name(String),
}

impl FromStr for LabelRef {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.parse().map_or_else(|_| Named::Name(text.trim().to_owned()), Named::Id)))
    }
}

parsed_field!(LabelRef);
crate::schema::reads_as_text!(
    LabelRef,
    "A label of the project: its id, or its name in whatever case.",
    "urgent",
    min_length: 1,
    max_length: 60,
    pattern: crate::text::LINE,
);

/// Why a task was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskFault {
    /// Out of range.
    #[error("must be a whole number from 0 to 4")]
    Priority,
    /// It would begin when it should be done.
    #[error("must not be after the due value")]
    StartAfterDue,
    /// Each may be owed a mail by each reminder.
    #[error("a task has at most 50 assignees")]
    TooManyAssignees,
    /// More than anybody can read.
    #[error("a task has at most 50 labels")]
    TooManyLabels,
    /// None that the project has.
    #[error("is not a label of the project")]
    NoSuchLabel,
    /// None in the project.
    #[error("is not a task of the same project")]
    NoSuchTask,
    /// Parts have no parts.
    #[error("is a subtask itself")]
    ParentIsASubtask,
    /// Whatever has parts is none.
    #[error("the task has subtasks itself")]
    HasSubtasks,
    /// Nothing is a part of itself.
    #[error("is the task itself")]
    OwnParent,
}

impl Fault for TaskFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Priority => "not_a_priority",
            Self::StartAfterDue => "start_after_due",
            Self::TooManyAssignees | Self::TooManyLabels => "too_many",
            Self::NoSuchLabel => "no_such_label",
            Self::NoSuchTask => "no_such_task",
            Self::ParentIsASubtask => "parent_is_a_subtask",
            Self::HasSubtasks => "has_subtasks",
            Self::OwnParent => "own_parent",
        }
    }
}

/// What only several fields together can tell, all at once.
pub(super) struct Together<'a> {
    pub(super) start: Option<&'a Due>,
    pub(super) due: Option<&'a Due>,
    pub(super) recurrence: Option<&'a Recurrence>,
    pub(super) assignees: usize,
    pub(super) labels: usize,
    pub(super) reminders: &'a [NewReminder],
}

impl Together<'_> {
    pub(super) fn check(&self) -> Result<(), Faults> {
        let mut faults: Vec<FieldFault> = Vec::new();
        let mut add = |pointer: &str, fault: &dyn Fault| {
            faults.push(FieldFault { pointer: pointer.to_owned(), code: fault.code(), detail: fault.to_string() });
        };
        if let (Some(start), Some(due)) = (self.start, self.due)
            && due.is_before(start)
        {
            add("/start", &TaskFault::StartAfterDue);
        }
        if let Some(recurrence) = self.recurrence
            && let Err(fault) = self
                .due
                .ok_or(crate::time::recurrence::RecurrenceFault::NeedsZone)
                .and_then(|due| recurrence.start(due))
        {
            add("/recurrence/rule", &fault);
        }
        if self.assignees > MOST {
            add("/assignees", &TaskFault::TooManyAssignees);
        }
        if self.labels > MOST {
            add("/labels", &TaskFault::TooManyLabels);
        }
        faults.extend(reminders::check(self.reminders, self.due));
        if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_priority_is_a_whole_number_however_it_is_written() {
        let read = |value| crate::input::read::<Priority>(value).ok().map(|priority| priority.0);
        for (value, number) in [(json!(2), 2), (json!(2.0), 2), (json!(-0.0), 0), (json!(4.0), 4)] {
            assert_eq!(read(value), Some(number));
        }
        for value in
            [json!(2.5e-42), json!(1.999_999_999_999), json!(2.5), json!(-1.0), json!(5), json!("2"), json!(1e300)]
        {
            assert_eq!(read(value.clone()), None, "{value}");
        }
    }
}
