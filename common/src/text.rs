//! Text that people type, parsed once: past these types nobody asks again whether a title is too long.

use std::{fmt, str::FromStr};

use serde::Serialize;
use utoipa::openapi::schema::{KnownFormat, SchemaFormat};

use crate::{
    input::{Fault, parsed_field},
    schema::reads_as_text,
};

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
    /// Not a colour.
    #[error("must be a colour such as #2f6f4e")]
    NotAColour,
    /// Not the name of a label.
    #[error("must not look like an identifier")]
    LikeAnId,
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
            Self::NotAColour => "not_a_colour",
            Self::LikeAnId => "like_an_id",
        }
    }
}

/// Declares a text type with its parser. Before its name stands what people read of it; behind it an example and what a schema can say
/// (`every_text_is_described_as_it_is_read`).
macro_rules! text {
    ($($(#[doc = $doc:literal])+ $name:ident($example:literal $(, $limit:ident: $value:expr)*) = $parse:expr;)+) => {$(
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, sqlx::Type)]
        $(#[doc = $doc])+
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
        reads_as_text!($name, concat!($($doc),+).trim(), $example $(, $limit: $value)*);
    )+};
}

/// Lines that are not all blank, as a pattern: without what [`is_unsafe`] says, of control characters without `$control`; and without
/// `$not`.
macro_rules! lines {
    ($control:literal, $not:literal) => {
        concat!(
            "^[^",
            $control,
            r"\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff",
            $not,
            r"]*[^\u0000- \u007f-\u00a0\u061c\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f\u2066-\u2069\u3000\ufeff",
            $not,
            "][^",
            $control,
            r"\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff",
            $not,
            "]*$"
        )
    };
}

/// One line that is not blank.
pub(crate) const LINE: &str = lines!(r"\u0000-\u001f", "");
/// The same without commas, which stand between several.
pub(crate) const LINE_IN_LIST: &str = lines!(r"\u0000-\u001f", ",");
/// Some lines that are not all blank.
pub(crate) const WORDS: &str = lines!(r"\u0000-\u0008\u000b\u000c\u000e-\u001f", "");
/// Some lines, or none.
const PARAGRAPHS: &str = concat!(
    r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f",
    r"\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]*$",
);

text! {
    /// The name of a person, an organization or a project: one line of 1 to 120 characters, trimmed.
    Name("Night shift", min_length: 1, max_length: 120, pattern: LINE) = |text| line(text, 120);
    /// What is to be done: one line of 1 to 200 characters, trimmed.
    Title("Pay the rent", min_length: 1, max_length: 200, pattern: LINE) = |text| line(text, 200);
    /// Markdown of up to 20,000 characters; may be empty.
    Description("To the *new* account.", max_length: 20_000, pattern: PARAGRAPHS) = |text| paragraphs(text, 20_000);
    /// What is looked for: one line of 1 to 200 characters.
    Words("pay the rent", min_length: 1, max_length: 200, pattern: LINE) = |text| line(text, 200);
    /// An e-mail address, in lower case: accounts are told apart by it.
    EmailAddress("ada@example.org", min_length: 5, max_length: 254, format: SchemaFormat::KnownFormat(KnownFormat::Email)) = email;
    /// An organization's name in URLs.
    Slug("acme", min_length: 1, max_length: 40, pattern: "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$") = slug;
    /// The key of a role, built in or custom: `admin`, `night-shift`.
    RoleKey("member", min_length: 1, max_length: 40, pattern: "^[a-z][a-z0-9-]*$") = role_key;
    /// A language, for mails and pages: `de`, `de-AT`.
    Locale("de-AT", min_length: 2, max_length: 35, pattern: "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$") = locale;
    /// A project's short name in front of its tasks' numbers: `OPS`.
    ProjectKey("OPS", min_length: 2, max_length: 10, pattern: "^[A-Z][A-Z0-9]+$") = project_key;
    /// The name of a label: one line of 1 to 60 characters, trimmed. Not the form of an id: a label is named by either.
    LabelName("urgent", min_length: 1, max_length: 60, pattern: LINE) = label_name;
    /// A colour: `#2f6f4e`, in lower case.
    Colour("#2f6f4e", pattern: "^#[0-9A-Fa-f]{6}$") = colour;
}

/// Characters that end a line, hide, or turn the direction of what follows (security.md 15).
fn is_unsafe(c: char) -> bool {
    let invisible = matches!(c, '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}');
    let separates = matches!(c, '\u{2028}' | '\u{2029}');
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || invisible || separates || turns
}

/// White space around it is no part of it, but counts, as far as that goes: a schema cannot trim.
fn line(text: &str, most: usize) -> Result<String, TextFault> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        Err(TextFault::Empty)
    } else if text.chars().count() > most {
        Err(TextFault::TooLong(most))
    } else if text.contains(is_unsafe) {
        Err(TextFault::Control)
    } else {
        Ok(trimmed.to_owned())
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

fn label_name(text: &str) -> Result<String, TextFault> {
    let name = line(text, 60)?;
    if name.parse::<crate::ids::LabelId>().is_ok() { Err(TextFault::LikeAnId) } else { Ok(name) }
}

fn colour(text: &str) -> Result<String, TextFault> {
    match text.strip_prefix('#') {
        Some(digits) if digits.len() == 6 && digits.chars().all(|c| c.is_ascii_hexdigit()) => {
            Ok(text.to_ascii_lowercase())
        }
        _ => Err(TextFault::NotAColour),
    }
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

    #[test]
    fn a_colour_has_six_digits_and_one_spelling() {
        assert_eq!("#2F6f4E".parse::<Colour>().unwrap().as_str(), "#2f6f4e");
        for bad in ["", "red", "#fff", "2f6f4e", "#2f6f4g", "#2f6f4e ", "#\u{e9}\u{e9}\u{e9}"] {
            assert_eq!(bad.parse::<Colour>(), Err(TextFault::NotAColour), "{bad:?}");
        }
    }

    #[test]
    fn a_label_is_never_taken_for_an_id() {
        assert_eq!(" bug ".parse::<LabelName>().unwrap().as_str(), "bug");
        assert_eq!("01980e5c-7f3a-7c4e-9d2b-3f6a8c1e5b70".parse::<LabelName>(), Err(TextFault::LikeAnId));
        assert_eq!("ä".repeat(61).parse::<LabelName>(), Err(TextFault::TooLong(60)));
    }
}
