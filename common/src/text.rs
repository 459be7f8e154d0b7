//! Text that people type, parsed once: past these types nobody asks again whether a title is too long.

use std::{fmt, str::FromStr};

use serde::Serialize;

use crate::input::{Fault, parsed_field};

/// Why a text was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// More characters than allowed.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// Control or bidirectional formatting characters.
    #[error("must not contain control characters")]
    Control,
    /// Not `local@domain`.
    #[error("must be an e-mail address such as name@example.org")]
    NotAnEmail,
    /// Not a slug.
    #[error("must have 1 to 40 characters of a-z, 0-9 and inner hyphens, and must not look like an identifier")]
    NotASlug,
    /// Not the key of a role.
    #[error("must have 1 to 40 characters of a-z, 0-9 and hyphens, beginning with a letter")]
    NotARole,
    /// Not a language tag.
    #[error("must be a language tag such as en or de-AT")]
    NotALocale,
    /// Not a project key.
    #[error("must have 2 to 10 characters of A-Z and 0-9, beginning with a letter")]
    NotAKey,
}

impl Fault for TextFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong(_) => "too_long",
            Self::Control => "control_characters",
            Self::NotAnEmail => "not_an_email",
            Self::NotASlug => "not_a_slug",
            Self::NotARole => "not_a_role",
            Self::NotALocale => "not_a_locale",
            Self::NotAKey => "not_a_key",
        }
    }
}

/// Declares a text type with its parser.
macro_rules! text {
    ($($(#[$doc:meta])* $name:ident = $parse:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = TextFault;

            fn from_str(text: &str) -> Result<Self, TextFault> {
                let parse: fn(&str) -> Result<String, TextFault> = $parse;
                parse(text).map(Self)
            }
        }

        parsed_field!($name);
    )+};
}

text! {
    /// The name of a person, an organization or a project: one line of 1 to 120 characters, trimmed.
    Name = |text| line(text, 120);
    /// What is to be done: one line of 1 to 200 characters, trimmed.
    Title = |text| line(text, 200);
    /// Markdown of up to 20,000 characters; may be empty.
    Description = |text| paragraphs(text, 20_000);
    /// What is looked for: one line of 1 to 200 characters.
    Words = |text| line(text, 200);
    /// An e-mail address, in lower case: accounts are told apart by it.
    EmailAddress = email;
    /// An organization's name in URLs.
    Slug = slug;
    /// The key of a role, built in or custom: `admin`, `night-shift`.
    RoleKey = role_key;
    /// A language, for mails and pages: `de`, `de-AT`.
    Locale = locale;
    /// A project's short name in front of its tasks' numbers: `OPS`.
    ProjectKey = project_key;
}

/// Characters that end a line, hide, or turn the direction of what follows (security.md 15).
fn is_unsafe(c: char) -> bool {
    let invisible = matches!(c, '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}');
    let separates = matches!(c, '\u{2028}' | '\u{2029}');
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || invisible || separates || turns
}

fn line(text: &str, most: usize) -> Result<String, TextFault> {
    let text = text.trim();
    if text.is_empty() {
        Err(TextFault::Empty)
    } else if text.chars().count() > most {
        Err(TextFault::TooLong(most))
    } else if text.contains(is_unsafe) {
        Err(TextFault::Control)
    } else {
        Ok(text.to_owned())
    }
}

fn paragraphs(text: &str, most: usize) -> Result<String, TextFault> {
    if text.chars().count() > most {
        Err(TextFault::TooLong(most))
    } else if text.contains(|c| is_unsafe(c) && !matches!(c, '\n' | '\r' | '\t')) {
        Err(TextFault::Control)
    } else {
        Ok(text.to_owned())
    }
}

/// The shape that mail servers agree on: ASCII, one `@`, a dotted domain. Whether it exists only a mail can tell.
fn email(text: &str) -> Result<String, TextFault> {
    let text = text.trim().to_ascii_lowercase();
    let is_local = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    match text.split_once('@') {
        Some((local, domain))
            if text.len() <= 254
                && (1..=64).contains(&local.len())
                && local.chars().all(is_local)
                && !local.starts_with('.')
                && !local.ends_with('.')
                && !local.contains("..")
                && domain.contains('.')
                && domain.split('.').all(is_label) =>
        {
            Ok(text)
        }
        _ => Err(TextFault::NotAnEmail),
    }
}

fn slug(text: &str) -> Result<String, TextFault> {
    let fits = (1..=40).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.parse::<crate::ids::OrgId>().is_err();
    if fits { Ok(text.to_owned()) } else { Err(TextFault::NotASlug) }
}

fn role_key(text: &str) -> Result<String, TextFault> {
    let fits = (1..=40).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if fits { Ok(text.to_owned()) } else { Err(TextFault::NotARole) }
}

fn locale(text: &str) -> Result<String, TextFault> {
    let mut parts = text.split('-');
    let language =
        parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && part.chars().all(|c| c.is_ascii_lowercase()));
    let rest = parts.all(|part| (2..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric()));
    if language && rest && text.len() <= 35 { Ok(text.to_owned()) } else { Err(TextFault::NotALocale) }
}

fn project_key(text: &str) -> Result<String, TextFault> {
    let fits = (2..=10).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    if fits { Ok(text.to_owned()) } else { Err(TextFault::NotAKey) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_trimmed_line() {
        assert_eq!("  pay rent ".parse::<Title>().unwrap().as_str(), "pay rent");
        assert_eq!(" \t".parse::<Title>(), Err(TextFault::Empty));
        assert_eq!("a\r\nBcc: x@example.org".parse::<Title>(), Err(TextFault::Control));
        assert_eq!("a\u{202e}b".parse::<Title>(), Err(TextFault::Control));
        assert_eq!("\u{061c}\u{200b}".parse::<Title>(), Err(TextFault::Control));
        assert!("ä".repeat(200).parse::<Title>().is_ok());
        assert_eq!("ä".repeat(201).parse::<Title>(), Err(TextFault::TooLong(200)));
    }

    #[test]
    fn an_address_has_one_spelling_and_no_room_for_headers() {
        assert_eq!(" Ada@Example.ORG".parse::<EmailAddress>().unwrap().as_str(), "ada@example.org");
        for bad in [
            "",
            "a",
            "a@b",
            "a@@b.c",
            "a b@c.de",
            "a@b.c\r\nd",
            "a@-b.de",
            ".a@b.de",
            "a..b@c.de",
            "ä@b.de",
            "<a@b.de>",
        ] {
            assert_eq!(bad.parse::<EmailAddress>(), Err(TextFault::NotAnEmail), "{bad:?}");
        }
    }

    #[test]
    fn a_slug_never_looks_like_an_identifier() {
        assert!("acme-2".parse::<Slug>().is_ok());
        for bad in ["", "Acme", "-acme", "acme-", "a b", "01980e5c-7f3a-7c4e-9d2b-3f6a8c1e5b70"] {
            assert_eq!(bad.parse::<Slug>(), Err(TextFault::NotASlug), "{bad:?}");
        }
    }
}
