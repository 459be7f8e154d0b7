//! The lines of an export, as they are read: the same types of text and time as in any input.

use deserr::Deserr;
use serde_json::Value;

use super::fault::ImportFault;
use crate::{
    access::GrantRole,
    exchange::VERSION,
    ids::{AccountId, LabelId, ProjectId, TaskId},
    input::{Faults, read},
    notifications::DefaultReminders,
    projects::Visibility,
    tasks::TaskStatus,
    text::{Colour, Description, EmailAddress, LabelName, Name, ProjectKey, Title},
    time::{
        Due, Instant, SkipAfter, When,
        recurrence::{Basis, Rule},
    },
};

/// One line. What is not taken over is only known to be there.
#[derive(Debug)]
pub(super) enum Line {
    Header(Header),
    Member(Member),
    Project(Project),
    Label(Label),
    Task(Box<Task>),
    Reminder(Reminder),
    Comment(Comment),
    /// Histories are not taken over: what somebody brings along is no evidence.
    Event,
    End,
}

impl Line {
    /// From its JSON.
    pub(super) fn of(mut value: Value) -> Result<Self, Faults> {
        let no_line = || Faults::at("", &ImportFault::NotALine);
        let object = value.as_object_mut().ok_or_else(no_line)?;
        let Some(Value::String(kind)) = object.remove("type") else { return Err(no_line()) };
        match kind.as_str() {
            "taskbell" if object.get("version") != Some(&Value::from(VERSION)) => {
                Err(Faults::at("/version", &ImportFault::OtherVersion))
            }
            "taskbell" => read(value).map(Self::Header),
            "member" => read(value).map(Self::Member),
            "project" => read(value).map(Self::Project),
            "label" => read(value).map(Self::Label),
            "task" => read(value).map(Box::new).map(Self::Task),
            "reminder" => read(value).map(Self::Reminder),
            "comment" => read(value).map(Self::Comment),
            "event" => Ok(Self::Event),
            "end" => Ok(Self::End),
            _ => Err(no_line()),
        }
    }
}

#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
#[expect(dead_code, reason = "what is not asked for must still be well-formed")]
pub(super) struct Header {
    version: u32,
    pub(super) organization: Organization,
    at: Instant,
    private_projects: bool,
    counts: Value,
}

#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
#[expect(dead_code, reason = "what is not asked for must still be well-formed")]
pub(super) struct Organization {
    id: String,
    pub(super) slug: String,
    name: String,
    time_zone: String,
    #[deserr(default)]
    default_reminders: Option<DefaultReminders>,
}

#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
#[expect(dead_code, reason = "what is not asked for must still be well-formed")]
pub(super) struct Member {
    pub(super) id: AccountId,
    pub(super) email: EmailAddress,
    name: String,
    role: String,
    status: String,
}

#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub(super) struct Project {
    pub(super) id: ProjectId,
    pub(super) key: ProjectKey,
    pub(super) name: Name,
    #[deserr(default)]
    pub(super) description: Option<Description>,
    #[deserr(default)]
    pub(super) colour: Option<Colour>,
    pub(super) visibility: Visibility,
    #[deserr(default)]
    pub(super) archived: bool,
    #[deserr(default)]
    pub(super) grants: Vec<Grant>,
    #[deserr(default)]
    pub(super) created_by: Option<EmailAddress>,
    #[deserr(default)]
    pub(super) created_at: Option<Instant>,
}

#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub(super) struct Grant {
    pub(super) member: EmailAddress,
    pub(super) role: GrantRole,
}

#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub(super) struct Label {
    pub(super) id: LabelId,
    pub(super) project: ProjectId,
    pub(super) name: LabelName,
    #[deserr(default)]
    pub(super) colour: Option<Colour>,
}

#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub(super) struct Task {
    pub(super) id: TaskId,
    pub(super) project: ProjectId,
    pub(super) number: i32,
    pub(super) title: Title,
    #[deserr(default)]
    pub(super) description: Option<Description>,
    pub(super) status: TaskStatus,
    #[deserr(default)]
    pub(super) priority: i16,
    #[deserr(default)]
    pub(super) start: Option<Due>,
    #[deserr(default)]
    pub(super) due: Option<Due>,
    #[deserr(default)]
    pub(super) recurrence: Option<Turns>,
    #[deserr(default)]
    pub(super) parent: Option<TaskId>,
    pub(super) position: Position,
    #[deserr(default)]
    pub(super) labels: Vec<LabelId>,
    #[deserr(default)]
    pub(super) assignees: Vec<EmailAddress>,
    #[deserr(default)]
    pub(super) watching: Vec<EmailAddress>,
    #[deserr(default)]
    pub(super) muted: Vec<EmailAddress>,
    #[deserr(default)]
    pub(super) created_by: Option<EmailAddress>,
    #[deserr(default)]
    pub(super) created_at: Option<Instant>,
    #[deserr(default)]
    pub(super) updated_at: Option<Instant>,
    #[deserr(default)]
    pub(super) completed_by: Option<EmailAddress>,
    #[deserr(default)]
    pub(super) completed_at: Option<Instant>,
}

/// How a task comes round.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub(super) struct Turns {
    pub(super) rule: Rule,
    pub(super) from: Basis,
    pub(super) start: Local,
    pub(super) occurrence: i32,
}

#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub(super) struct Reminder {
    pub(super) task: TaskId,
    pub(super) when: When,
    #[deserr(default)]
    pub(super) skip_after: Option<SkipAfter>,
    pub(super) to: Told,
}

/// Who is told.
#[derive(Debug)]
pub(super) enum Told {
    Assignees,
    Person(EmailAddress),
}

#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub(super) struct Comment {
    pub(super) task: TaskId,
    pub(super) author: EmailAddress,
    pub(super) body: Description,
    #[deserr(default)]
    pub(super) created_at: Option<Instant>,
    #[deserr(default)]
    pub(super) edited_at: Option<Instant>,
}

/// A number of any size, as Postgres writes it.
#[derive(Clone, Debug)]
pub(super) struct Position(pub(super) String);

/// A time on a wall clock, without a zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Local(pub(super) jiff::civil::DateTime);

impl std::str::FromStr for Told {
    type Err = <EmailAddress as std::str::FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "assignees" { Ok(Self::Assignees) } else { text.parse().map(Self::Person) }
    }
}

impl std::str::FromStr for Position {
    type Err = ImportFault;

    fn from_str(text: &str) -> Result<Self, ImportFault> {
        let (whole, part) = text.trim_start_matches('-').split_once('.').unwrap_or((text.trim_start_matches('-'), "0"));
        let digits =
            |text: &str, most| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let fits = !text.starts_with("--") && digits(whole, 30) && digits(part, 4_000);
        if fits { Ok(Self(text.to_owned())) } else { Err(ImportFault::NotAPosition) }
    }
}

impl std::str::FromStr for Local {
    type Err = crate::time::TimeFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| crate::time::TimeFault::NotALocalTime)
    }
}

crate::input::parsed_field!(Told);
crate::input::parsed_field!(Position);
crate::input::parsed_field!(Local);
