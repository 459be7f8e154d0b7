//! How much of everything there may be: limits of the operator's, so that one tenant does not fill the disk of all.

use std::fmt;

use crate::error::{Error, Result};

/// The limits of a deployment; docs/operations.md lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Organizations that an account owns.
    pub organizations: u32,
    /// Active members of an organization, and those who are invited.
    pub members: u32,
    /// Projects of an organization, archived ones too.
    pub projects: u32,
    /// Tasks of a project.
    pub tasks: u32,
    /// Labels of a project.
    pub labels: u32,
    /// Reminders of a task.
    pub reminders: u32,
    /// Personal tokens of an account that count.
    pub tokens: u32,
}

/// Which of them; its text ends the sentence "this would be one more than the 7 …".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// See [`Quotas::organizations`].
    Organizations,
    /// See [`Quotas::members`].
    Members,
    /// See [`Quotas::projects`].
    Projects,
    /// See [`Quotas::tasks`].
    Tasks,
    /// See [`Quotas::labels`].
    Labels,
    /// See [`Quotas::reminders`].
    Reminders,
    /// See [`Quotas::tokens`].
    Tokens,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            organizations: 100,
            members: 1_000,
            projects: 1_000,
            tasks: 100_000,
            labels: 200,
            reminders: 20,
            tokens: 50,
        }
    }
}

impl Quotas {
    /// Whether there may be `count` of them, those included that are about to be. To be asked under a lock that whoever else
    /// adds one waits for, or two at once each count without the other (tests/api/quotas.rs).
    ///
    /// # Errors
    /// [`Error::Quota`].
    pub fn admit(&self, quota: Quota, count: i64) -> Result<()> {
        let most = match quota {
            Quota::Organizations => self.organizations,
            Quota::Members => self.members,
            Quota::Projects => self.projects,
            Quota::Tasks => self.tasks,
            Quota::Labels => self.labels,
            Quota::Reminders => self.reminders,
            Quota::Tokens => self.tokens,
        };
        if count <= i64::from(most) { Ok(()) } else { Err(Error::Quota { quota, most }) }
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Organizations => "organizations that a person may own",
            Self::Members => "members and invitations that an organization may have",
            Self::Projects => "projects that an organization may have",
            Self::Tasks => "tasks that a project may have",
            Self::Labels => "labels that a project may have",
            Self::Reminders => "reminders that a task may have",
            Self::Tokens => "tokens that a person may have",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    #[test]
    fn a_quota_is_a_setting_and_the_last_one_is_admitted() {
        let of = |variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            Settings::from_variables(variables).map(|settings| settings.quotas())
        };
        assert_eq!(of(&[]).unwrap(), Quotas::default());
        let quotas = of(&[("TASKBELL_QUOTA_LABELS", "7"), ("TASKBELL_QUOTA_TASKS", "")]).unwrap();
        assert_eq!(quotas, Quotas { labels: 7, ..Quotas::default() });
        assert!(quotas.admit(Quota::Labels, 7).is_ok());
        assert!(matches!(quotas.admit(Quota::Labels, 8), Err(Error::Quota { quota: Quota::Labels, most: 7 })));
        let said = of(&[("TASKBELL_QUOTA_MEMBERS", "many")]).unwrap_err().to_string();
        assert!(said.contains("TASKBELL_QUOTA_MEMBERS"), "{said}");
    }
}
