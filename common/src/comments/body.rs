//! What somebody says, and whom they mention in it: `<@…>` with the id of an account.

use std::{collections::BTreeMap, str::FromStr};

use uuid::Uuid;

use crate::{
    ids::AccountId,
    input::{Fault, parsed_field},
    text::{Description, TextFault},
};

/// What somebody says: Markdown of 1 to 20,000 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentBody {
    text: Description,
    mentions: Vec<AccountId>,
}

/// Why it was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommentFault {
    /// It is no text for people.
    #[error(transparent)]
    Text(#[from] TextFault),
    /// Each of them gets a mail.
    #[error("must mention at most {MOST} people")]
    TooMany,
    /// A stranger, or somebody who does not see the task.
    #[error("mentions somebody who is not an active member with access to the project")]
    NotAMember,
}

impl Fault for CommentFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Text(fault) => fault.code(),
            Self::TooMany => "too_many",
            Self::NotAMember => "not_a_member",
        }
    }
}

/// How many people may be mentioned.
const MOST: usize = 50;

/// Before and behind the id.
const OPENS: &str = "<@";
const CLOSES: &str = ">";
/// The hyphenated form of an id.
const ID: usize = 36;

impl CommentBody {
    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }

    /// Who is mentioned, each once, in the order of ids.
    #[must_use]
    pub fn mentions(&self) -> &[AccountId] {
        &self.mentions
    }
}

impl FromStr for CommentBody {
    type Err = CommentFault;

    fn from_str(text: &str) -> Result<Self, CommentFault> {
        if text.trim().is_empty() {
            return Err(TextFault::Empty.into());
        }
        let text: Description = text.parse()?;
        let mut mentions: Vec<AccountId> = marks(text.as_str()).into_iter().map(|(_, account)| account).collect();
        mentions.sort_unstable();
        mentions.dedup();
        if mentions.len() > MOST { Err(CommentFault::TooMany) } else { Ok(Self { text, mentions }) }
    }
}

parsed_field!(CommentBody);
crate::schema::reads_as_text!(
    CommentBody,
    "Markdown of 1 to 20,000 characters. `<@…>` with the id of an account mentions somebody.",
    "Is it *paid*?",
    min_length: 1,
    max_length: 20_000,
    pattern: crate::text::WORDS,
);

/// Where in a text somebody is mentioned. What only looks like it is text like any other.
fn marks(text: &str) -> Vec<(usize, AccountId)> {
    let opened = text.match_indices(OPENS).filter_map(|(at, _)| {
        let id = at + OPENS.len();
        let account = text.get(id..id + ID)?.parse().ok()?;
        text.get(id + ID..)?.starts_with(CLOSES).then_some((at, account))
    });
    opened.collect()
}

/// The text with names in the place of ids, for people.
pub(crate) fn with_names(text: &str, names: &BTreeMap<Uuid, String>) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = 0;
    for (at, account) in marks(text) {
        if let Some(name) = names.get(&account.0) {
            told.push_str(text.get(rest..at).unwrap_or_default());
            told.push('@');
            told.push_str(name);
            rest = at + OPENS.len() + ID + CLOSES.len();
        }
    }
    told.push_str(text.get(rest..).unwrap_or_default());
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: &str = "01980e5c-7f3a-7c4e-9d2b-3f6a8c1e5b70";
    const BOB: &str = "01980e5c-7f3a-7c4e-9d2b-3f6a8c1e5b71";

    fn mentions(text: &str) -> Vec<String> {
        text.parse::<CommentBody>().unwrap().mentions().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn who_is_mentioned_stands_in_angle_brackets_and_counts_once() {
        assert_eq!(mentions(&format!("<@{BOB}> and <@{ADA}>, <@{BOB}>!")), [ADA, BOB]);
        assert_eq!(mentions(&format!("<<@{ADA}>>")), [ADA]);
        let broken = format!("<@> <@{ADA} <@{} > @{ADA} <@ä{}> <@{}", &ADA[1..], &ADA[2..], &ADA[..20]);
        assert_eq!(mentions(&broken), [] as [&str; 0], "{broken}");
    }

    #[test]
    fn names_take_the_place_of_ids() {
        let names = BTreeMap::from([(ADA.parse().unwrap(), "Ada <&>".to_owned())]);
        assert_eq!(with_names(&format!("a <@{ADA}> b <@{BOB}> c"), &names), format!("a @Ada <&> b <@{BOB}> c"));
        assert_eq!(with_names("nobody", &names), "nobody");
        // A name is text, and mentions nobody.
        let names = BTreeMap::from([(ADA.parse().unwrap(), format!("<@{BOB}>")), (BOB.parse().unwrap(), "Bob".into())]);
        assert_eq!(with_names(&format!("<@{ADA}>"), &names), format!("@<@{BOB}>"));
    }

    #[test]
    fn a_comment_says_something_and_does_not_write_to_everybody() {
        assert_eq!(" \n".parse::<CommentBody>(), Err(TextFault::Empty.into()));
        assert_eq!("ä".repeat(20_001).parse::<CommentBody>(), Err(TextFault::TooLong(20_000).into()));
        assert_eq!("a\u{202e}b".parse::<CommentBody>(), Err(TextFault::Control.into()));
        let many: Vec<String> = (0..51).map(|nth| format!("<@{}>", Uuid::from_u128(nth))).collect();
        assert_eq!(many.concat().parse::<CommentBody>(), Err(CommentFault::TooMany));
    }
}
