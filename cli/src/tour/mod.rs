//! The tour: the main job, played on real input against a running deployment, through its HTTP interface alone.

mod client;
mod inbox;
mod script;

use url::Url;

use crate::Failure;

pub(crate) use script::play;

/// Who plays: four people of one organization.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    /// Keeps one visit apart from another on the same deployment.
    mark: String,
}

impl Cast {
    /// Everybody's password.
    pub(crate) const PASSWORD: &str = "walk-the-tour-2026";

    /// Those of a fresh stack.
    pub(crate) fn demo() -> Self {
        Self { mark: String::new() }
    }

    /// Those who have played before under this mark.
    pub(crate) fn again(mark: &str) -> Self {
        Self { mark: mark.trim().to_owned() }
    }

    /// What keeps them apart from others.
    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    /// New ones, for a deployment that others may have visited.
    pub(crate) fn visitors() -> Result<Self, Failure> {
        let random: String =
            common::secrets::Token::random()?.reveal().chars().filter(char::is_ascii_alphanumeric).take(8).collect();
        Ok(Self { mark: format!("-{}", random.to_lowercase()) })
    }

    fn email(&self, role: &str) -> String {
        format!("{role}{}@example.org", self.mark)
    }

    /// The organization's name in URLs.
    pub(crate) fn slug(&self) -> String {
        format!("demo{}", self.mark)
    }

    /// Who founded the organization.
    pub(crate) fn owner(&self) -> String {
        self.email("owner")
    }

    /// Everybody's address.
    pub(crate) fn emails(&self) -> Vec<String> {
        ["owner", "admin", "member", "guest"].map(|role| self.email(role)).into()
    }
}

/// Plays it on a deployment that somebody else runs.
pub(crate) async fn visit(api: Url, inbox: Url) -> Result<(), Failure> {
    play(&api, &inbox, &Cast::visitors()?).await
}
