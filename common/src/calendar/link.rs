//! The address: made, replaced and revoked by whose calendar it is.

use std::{fmt, str::FromStr};

use jiff_sqlx::Timestamp;
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

use crate::{
    access::{Core, Me, Scope, Written},
    audit::{self, Action, Event},
    error::Result,
    ids::AccountId,
    secrets::{NotAToken, Token, TokenHash},
    shown::shown,
};

/// What follows the token in the address: some programs take only a file for a calendar.
const ENDING: &str = ".ics";

/// The token in the address of a calendar, as a path has it: with `.ics` behind it or without.
#[derive(Clone, PartialEq, Eq)]
pub struct CalendarToken(Token);

impl CalendarToken {
    /// What the database keeps.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        self.0.hash()
    }
}

impl FromStr for CalendarToken {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let token = text.strip_suffix(ENDING).unwrap_or(text);
        // One spelling: programs send what they were given.
        if token.trim() == token { token.parse().map(Self) } else { Err(NotAToken) }
    }
}

impl fmt::Debug for CalendarToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CalendarToken(…)")
    }
}

crate::schema::reads_as_text!(
    CalendarToken,
    "The token of a calendar's address, with `.ics` behind it or without.",
    "6vWbkzjS0m0rJdqZ0pcLZ3dEo4hN1sXyQvTgRkMuBaE.ics",
    pattern: r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048](?:\.ics)?$",
);

/// The address of the caller's calendar, without its text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CalendarLink {
    /// Whether there is one.
    pub linked: bool,
    /// Since when.
    pub created_at: Option<Timestamp>,
    /// When a program last asked for the calendar, to about a minute; null if never.
    pub last_used_at: Option<Timestamp>,
}

shown!(CalendarLink);

/// A new address; the only time it is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NewCalendarLink {
    /// For a calendar program. Whoever has it can read the calendar.
    #[schema(example = "https://tasks.example.org/calendars/6vWbkzjS0m0rJdqZ0pcLZ3dEo4hN1sXyQvTgRkMuBaE.ics")]
    pub url: String,
    /// Since when.
    pub created_at: Timestamp,
}

shown!(once NewCalendarLink);

/// Whether the caller's calendar has an address.
///
/// # Errors
/// The database's.
pub async fn show(scope: &mut Scope<Me>) -> Result<CalendarLink> {
    let link = sqlx::query!("select created_at, last_used_at from calendar_links where account_id = current_account()")
        .fetch_optional(scope.sql())
        .await?;
    Ok(CalendarLink {
        linked: link.is_some(),
        created_at: link.as_ref().map(|link| link.created_at),
        last_used_at: link.and_then(|link| link.last_used_at),
    })
}

/// Gives the caller's calendar an address under `home`. The one that it had is void.
///
/// # Errors
/// The database's, or no randomness.
pub async fn make(scope: &mut Scope<Me>, home: &Url) -> Result<Written<NewCalendarLink>> {
    let token = Token::random()?;
    let hash = token.hash();
    let made = sqlx::query!(
        r#"with former as (select account_id from calendar_links where account_id = current_account())
           insert into calendar_links (account_id, token_hash) values (current_account(), $1)
           on conflict on constraint calendar_links_pkey
               do update set token_hash = excluded.token_hash, created_at = now(), last_used_at = null
           returning account_id as "account: AccountId", created_at, exists (select from former) as "replaced!""#,
        hash.as_bytes(),
    )
    .fetch_one(scope.sql())
    .await?;
    let told = serde_json::json!({ "replaced": made.replaced });
    audit::record(scope.core(), Event::new(Action::CalendarLinked).about(made.account).after(told)).await?;
    let url = format!("{}/calendars/{}{ENDING}", home.as_str().trim_end_matches('/'), token.reveal());
    Ok(Written(NewCalendarLink { url, created_at: made.created_at }))
}

/// Makes the address void, from the next request on. If there is none, that is fine too.
///
/// # Errors
/// The database's.
pub async fn revoke(scope: &mut Scope<Me>) -> Result<Written<()>> {
    end(scope.core()).await?;
    Ok(Written(()))
}

/// The same for whoever has asked for the end of their account.
pub(crate) async fn end(core: &mut Core) -> Result<()> {
    let ended = sqlx::query_scalar!(
        r#"delete from calendar_links where account_id = current_account() returning account_id as "account: AccountId""#
    )
    .fetch_optional(core.sql())
    .await?;
    if let Some(account) = ended {
        audit::record(core, Event::new(Action::CalendarUnlinked).about(account)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_its_ending_and_without_and_shows_itself_nowhere() {
        let token = Token::random().unwrap();
        let text = token.reveal();
        let read = |text: &str| text.parse::<CalendarToken>();
        assert_eq!(read(&text), Ok(CalendarToken(token.clone())));
        assert_eq!(read(&format!("{text}.ics")), Ok(CalendarToken(token.clone())));
        for bad in [
            format!("{text}.ics.ics"),
            format!("{text}.ICS"),
            format!(" {text}"),
            format!("{text} .ics"),
            ".ics".into(),
        ] {
            assert_eq!(read(&bad), Err(NotAToken), "{bad}");
        }
        assert_eq!(format!("{:?}", CalendarToken(token)), "CalendarToken(…)");
    }
}
