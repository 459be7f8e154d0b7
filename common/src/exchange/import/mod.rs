//! What comes in as a whole: everything or nothing of it. Each line is read and checked to the last, so that all faults are told;
//! from the first fault on nothing is written any more, and nothing of what was stays.

mod fault;
mod given;
mod pending;
mod people;
mod plan;
mod read;
mod take;
mod task;
mod tasks;
mod write;

use std::str::FromStr;

use deserr::Deserr;
use serde::Serialize;
use utoipa::ToSchema;

pub(super) use fault::{Complaints, ImportFault};
pub(super) use read::check;
pub use take::import;
pub use tasks::import_tasks;

use crate::{
    ids::ProjectId,
    input::{Fault, Faults},
    shown::shown,
};

/// How an import of an organization's export is to be done.
#[derive(Debug, Default, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct ImportOptions {
    /// Whether everything is only tried.
    #[deserr(default)]
    #[schema(value_type = bool, default = false)]
    pub dry_run: Yes,
    /// What becomes of people who are no active members here.
    #[deserr(default)]
    pub unknown_people: Unknown,
    /// What becomes of projects whose keys are taken.
    #[deserr(default)]
    pub taken_keys: Taken,
}

/// How an import of a table of tasks is to be done.
#[derive(Debug, Default, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct TableOptions {
    /// Whether everything is only tried.
    #[deserr(default)]
    #[schema(value_type = bool, default = false)]
    pub dry_run: Yes,
    /// What becomes of people who are no active members here.
    #[deserr(default)]
    pub unknown_people: Unknown,
}

/// `true` or `false` as a parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Yes(pub bool);

/// The text is neither.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("must be true or false")]
pub struct NotAnAnswer;

impl Fault for NotAnAnswer {
    fn code(&self) -> &'static str {
        "not_true_or_false"
    }
}

impl FromStr for Yes {
    type Err = NotAnAnswer;

    fn from_str(text: &str) -> Result<Self, NotAnAnswer> {
        text.parse().map(Self).map_err(|_| NotAnAnswer)
    }
}

crate::input::parsed_field!(Yes);

/// People who are no active members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = lowercase)]
#[schema(as = UnknownPeople, rename_all = "lowercase")]
pub enum Unknown {
    /// Whoever is named must be here.
    #[default]
    Fault,
    /// They are left out: unassigned, unmentioned, their comments too.
    Skip,
}

/// Keys that other projects have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = lowercase)]
#[schema(as = TakenKeys, rename_all = "lowercase")]
pub enum Taken {
    /// Each must be free.
    #[default]
    Fault,
    /// `OPS` becomes `OPS2`.
    Rename,
}

/// What was taken in, or would be.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Imported {
    /// Whether it was only tried: then nothing of it is there.
    pub dry_run: bool,
    /// How many lines or rows were read.
    pub lines: u32,
    /// The new projects.
    pub projects: Vec<ImportedProject>,
    /// How many labels.
    pub labels: u32,
    /// How many tasks.
    pub tasks: u32,
    /// How many reminders.
    pub reminders: u32,
    /// How many comments.
    pub comments: u32,
    /// How many lines or people were left out.
    pub skipped_count: u32,
    /// The first hundred of them.
    pub skipped: Vec<Skipped>,
}

/// A project that was taken in.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedProject {
    /// Its id here.
    pub id: ProjectId,
    /// Its key here.
    #[schema(example = "OPS2")]
    pub key: String,
    /// Its key there.
    pub former_key: String,
}

crate::schema::words! {
    /// Why something was left out: nobody is there, or a reminder has nothing to send.
    WhyLeftOut: "unknown_person", "nothing_to_do", "already_past", "cannot_see_the_project", "muted", "no_due", "out_of_range";
}

/// Something that was left out.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Skipped {
    /// Where it stands.
    pub line: u32,
    /// Why.
    #[schema(value_type = WhyLeftOut)]
    pub reason: &'static str,
}

shown!(Imported);

impl Imported {
    fn skip(&mut self, skipped: Skipped) {
        self.skipped_count += 1;
        if self.skipped.len() < 100 {
            self.skipped.push(skipped);
        }
    }
}
