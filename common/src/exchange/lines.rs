//! The lines of an export, as they are written. `import::given` reads them.

use jiff_sqlx::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::notifications::DefaultReminders;
use crate::time::{Due, SkipAfter, When};

/// The version of the format; it changes when an older reader would misunderstand.
pub const VERSION: u32 = 1;

/// How many lines of each type there are between the first and the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// People.
    pub members: u64,
    /// Projects.
    pub projects: u64,
    /// Labels.
    pub labels: u64,
    /// Tasks.
    pub tasks: u64,
    /// Rules of reminders.
    pub reminders: u64,
    /// Comments.
    pub comments: u64,
    /// Entries of tasks' histories.
    pub events: u64,
}

impl Counts {
    /// All of them.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.members + self.projects + self.labels + self.tasks + self.reminders + self.comments + self.events
    }
}

/// One line.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line<'a> {
    Taskbell(Header),
    Member(Member<'a>),
    Project(Project<'a>),
    Label(Label),
    Task(Box<Task<'a>>),
    Reminder(Reminder<'a>),
    Comment(Comment<'a>),
    Event(Event<'a>),
}

/// The first line.
#[derive(Debug, Serialize)]
pub(super) struct Header {
    pub(super) version: u32,
    pub(super) organization: Organization,
    pub(super) at: Timestamp,
    /// Whether private projects are in it, if there are any.
    pub(super) private_projects: bool,
    pub(super) counts: Counts,
}

#[derive(Debug, Serialize)]
pub(super) struct Organization {
    pub(super) id: Uuid,
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) time_zone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default_reminders: Option<DefaultReminders>,
}

/// People are named by their addresses everywhere; the id is for mentions in comments.
#[derive(Debug, Serialize)]
pub(super) struct Member<'a> {
    pub(super) id: Uuid,
    pub(super) email: &'a str,
    pub(super) name: &'a str,
    pub(super) role: &'a str,
    pub(super) status: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Project<'a> {
    pub(super) id: Uuid,
    pub(super) key: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) colour: Option<String>,
    pub(super) visibility: String,
    pub(super) archived: bool,
    pub(super) grants: Vec<Grant<'a>>,
    pub(super) created_by: &'a str,
    pub(super) created_at: Timestamp,
}

#[derive(Debug, Serialize)]
pub(super) struct Grant<'a> {
    pub(super) member: &'a str,
    pub(super) role: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Label {
    pub(super) id: Uuid,
    pub(super) project: Uuid,
    pub(super) name: String,
    pub(super) colour: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Task<'a> {
    pub(super) id: Uuid,
    pub(super) project: Uuid,
    pub(super) number: i32,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) status: String,
    pub(super) priority: i16,
    pub(super) start: Option<Due>,
    pub(super) due: Option<Due>,
    pub(super) recurrence: Option<Recurrence>,
    pub(super) parent: Option<Uuid>,
    pub(super) position: String,
    pub(super) labels: Vec<Uuid>,
    pub(super) assignees: Vec<&'a str>,
    pub(super) watching: Vec<&'a str>,
    pub(super) muted: Vec<&'a str>,
    pub(super) created_by: &'a str,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) completed_by: Option<&'a str>,
    pub(super) completed_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
pub(super) struct Recurrence {
    pub(super) rule: String,
    pub(super) from: String,
    pub(super) start: jiff_sqlx::DateTime,
    pub(super) occurrence: i32,
}

#[derive(Debug, Serialize)]
pub(super) struct Reminder<'a> {
    pub(super) task: Uuid,
    pub(super) when: Option<When>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) skip_after: Option<SkipAfter>,
    /// `assignees`, or somebody's address.
    pub(super) to: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Comment<'a> {
    pub(super) task: Uuid,
    pub(super) author: &'a str,
    pub(super) body: String,
    pub(super) created_at: Timestamp,
    pub(super) edited_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
pub(super) struct Event<'a> {
    pub(super) task: Uuid,
    pub(super) actor: &'a str,
    pub(super) action: String,
    pub(super) changes: Value,
    pub(super) at: Timestamp,
}
