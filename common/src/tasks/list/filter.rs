//! Which tasks: the parameters, as types.

use std::str::FromStr;

use deserr::Deserr;
use utoipa::ToSchema;

use super::{Expand, Sort, SortKey, TaskField};
use crate::{
    ids::{AccountId, LabelId, NotAnId, ProjectId},
    input::{Fault, Faults, parsed_field},
    page::{Cursor, Limit},
    parameters::{Flag, NotOneOf, Several, names},
    schema::{id_pattern, reads_as_text},
    tasks::{Priority, TaskRef, TaskStatus},
    text::{LINE_IN_LIST, Name, ProjectKey, TextFault, Words},
    time::{Instant, Moment},
};

/// Which tasks, in which order, which page of them, and what of each.
#[derive(Debug, Default, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct TaskList {
    /// Of these projects, by id or key.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<ProjectName>>, example = json!(["OPS", "DEV"]))]
    pub project: Option<Several<ProjectName>>,
    /// As they stand: any of these.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<TaskStatus>>, example = json!(["open", "waiting"]))]
    pub status: Option<Several<TaskStatus>>,
    /// Done or not.
    #[deserr(default)]
    #[schema(value_type = Option<bool>)]
    pub completed: Option<Flag>,
    /// To be done by one of these: `me`, `none`, ids of accounts.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<Assignee>>, example = json!(["me"]))]
    pub assignee: Option<Several<Assignee>>,
    /// With one of these labels, by id or name.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<LabelNamed>>, example = json!(["bug", "urgent"]))]
    pub label: Option<Several<LabelNamed>>,
    /// Of these priorities, 0 to 4.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<Priority>>, example = json!([3, 4]))]
    pub priority: Option<Several<PriorityIs>>,
    /// Due before this day or instant.
    #[deserr(default)]
    pub due_before: Option<Moment>,
    /// Due after this day or instant.
    #[deserr(default)]
    pub due_after: Option<Moment>,
    /// `true`: not done in time.
    #[deserr(default)]
    #[schema(value_type = Option<bool>)]
    pub overdue: Option<Flag>,
    /// Changed since.
    #[deserr(default)]
    pub updated_since: Option<Instant>,
    /// Asked for by one of these: `me`, ids of accounts.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<Author>>, example = json!(["me"]))]
    pub created_by: Option<Several<Author>>,
    /// The parts of this task, or `none`: those that are part of none.
    #[deserr(default)]
    pub parent: Option<Parent>,
    /// `true`: what was deleted and can be restored, for those who may write.
    #[deserr(default)]
    #[schema(value_type = Option<bool>)]
    pub deleted: Option<Flag>,
    /// With these words; `"a phrase"`, `or`, `-not`.
    #[deserr(default)]
    pub q: Option<Words>,
    /// In this order; `-` before a key goes down. Newest first unless said.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<SortKey>>, example = json!(["-priority", "due"]))]
    pub sort: Sort,
    /// Items a page.
    #[deserr(default)]
    pub limit: Limit,
    /// Where the page begins.
    #[deserr(default)]
    pub cursor: Option<Cursor>,
    /// `total`: how many there are, counted to 10,000.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<Include>>, example = json!(["total"]))]
    pub include: Option<Several<Include>>,
    /// These fields alone.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<TaskField>>, example = json!(["key", "title", "due"]))]
    pub fields: Option<Several<TaskField>>,
    /// What these ids stand for, too, in `expanded`.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<Expand>>, example = json!(["project", "assignees"]))]
    pub expand: Option<Several<Expand>>,
}

impl TaskList {
    /// What a cursor of this list is bound to. `me` is whoever asks: the position alone tells nothing.
    pub(in crate::tasks) fn name(&self) -> String {
        let Self { project, status, completed, assignee, label, priority, due_before, due_after, .. } = self;
        let Self { overdue, updated_since, created_by, parent, deleted, q, sort, .. } = self;
        format!(
            "tasks {project:?} {status:?} {completed:?} {assignee:?} {label:?} {priority:?} {due_before:?} {due_after:?} \
             {overdue:?} {updated_since:?} {created_by:?} {parent:?} {deleted:?} {q:?} {sort:?}"
        )
    }

    /// Which of the four come into question.
    pub(super) fn statuses(&self) -> Vec<&'static str> {
        let asked = |status: &TaskStatus| self.status.as_ref().is_none_or(|several| several.0.contains(status));
        let done = |status: &TaskStatus| *status == TaskStatus::Completed;
        let fits = |status: &TaskStatus| self.completed.is_none_or(|Flag(wanted)| done(status) == wanted);
        let late = |status: &TaskStatus| !self.overdue() || !done(status);
        let all = [TaskStatus::Open, TaskStatus::InProgress, TaskStatus::Waiting, TaskStatus::Completed];
        all.iter()
            .filter(|status| asked(status) && fits(status) && late(status))
            .map(|status| status.as_str())
            .collect()
    }

    pub(super) fn overdue(&self) -> bool {
        self.overdue == Some(Flag(true))
    }

    pub(super) fn deleted(&self) -> bool {
        self.deleted == Some(Flag(true))
    }

    pub(in crate::tasks) fn total(&self) -> bool {
        self.include.is_some()
    }
}

names! {
    /// What a list tells beside its items.
    Include:
        /// How many there are.
        Total = "total";
}

/// A project as a parameter names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectName {
    /// By its id.
    Id(ProjectId),
    /// By its key.
    Key(ProjectKey),
}

impl FromStr for ProjectName {
    type Err = TextFault;

    fn from_str(text: &str) -> Result<Self, TextFault> {
        text.parse().map(Self::Id).or_else(|_| text.parse().map(Self::Key))
    }
}

parsed_field!(ProjectName);
reads_as_text!(
    ProjectName,
    "A project: its id, or its key.",
    "OPS",
    pattern: id_pattern!("^(?:[A-Z][A-Z0-9]{1,9}|", ")$")
);

/// A label as a parameter names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelNamed {
    /// By its id.
    Id(LabelId),
    /// By its name, in whichever project; small letters or not.
    Name(Name),
}

impl FromStr for LabelNamed {
    type Err = TextFault;

    fn from_str(text: &str) -> Result<Self, TextFault> {
        text.parse().map(Self::Id).or_else(|_| text.parse().map(Self::Name))
    }
}

reads_as_text!(
    LabelNamed,
    "A label: its id, or its name in whatever case, which has no comma.",
    "bug",
    min_length: 1,
    max_length: 120,
    pattern: LINE_IN_LIST
);

/// Who does it, as a parameter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignee {
    /// Whoever asks.
    Me,
    /// Nobody.
    None,
    /// Somebody.
    Account(AccountId),
}

impl FromStr for Assignee {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        match text {
            "me" => Ok(Self::Me),
            "none" => Ok(Self::None),
            id => id.parse().map(Self::Account),
        }
    }
}

reads_as_text!(
    Assignee,
    "Who does it: `me`, `none`, or an account's id.",
    "me",
    pattern: id_pattern!("^(?:me|none|", ")$")
);

/// Who asked for it, as a parameter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// Whoever asks.
    Me,
    /// Somebody.
    Account(AccountId),
}

impl FromStr for Author {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        if text == "me" { Ok(Self::Me) } else { text.parse().map(Self::Account) }
    }
}

reads_as_text!(Author, "Who asked for it: `me`, or an account's id.", "me", pattern: id_pattern!("^(?:me|", ")$"));

/// Whose parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parent {
    /// Part of nothing.
    None,
    /// Part of this one.
    Task(TaskRef),
}

impl FromStr for Parent {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        if text == "none" { Ok(Self::None) } else { text.parse().map(Self::Task) }
    }
}

parsed_field!(Parent);
reads_as_text!(
    Parent,
    "A task, by its id or its key, or `none`.",
    "none",
    pattern: id_pattern!("^(?:none|[A-Z][A-Z0-9]{1,9}-[1-9][0-9]{0,8}|", ")$")
);

/// A priority as a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorityIs(pub i16);

/// The text is no priority.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("must be a whole number from 0 to 4")]
pub struct NotAPriority;

impl Fault for NotAPriority {
    fn code(&self) -> &'static str {
        "not_a_priority"
    }
}

impl FromStr for PriorityIs {
    type Err = NotAPriority;

    fn from_str(text: &str) -> Result<Self, NotAPriority> {
        text.parse().ok().filter(|priority| (0..=4).contains(priority)).map(Self).ok_or(NotAPriority)
    }
}

impl FromStr for TaskStatus {
    type Err = NotOneOf;

    fn from_str(text: &str) -> Result<Self, NotOneOf> {
        match text {
            "open" => Ok(Self::Open),
            "in_progress" => Ok(Self::InProgress),
            "waiting" => Ok(Self::Waiting),
            "completed" => Ok(Self::Completed),
            _ => Err(NotOneOf(&["open", "in_progress", "waiting", "completed"])),
        }
    }
}
