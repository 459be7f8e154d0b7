//! Text that people type, and what stands in headers and links.

use std::net::{IpAddr, Ipv4Addr};

use common::{
    calendar::CalendarToken,
    comments::CommentBody,
    ids::{AccountId, TaskId},
    origins::AllowedOrigins,
    page::{Cursor, Limit},
    proxies::TrustedProxies,
    rates::Rate,
    second_factor::SecondFactorCode,
    secrets::{Credential, PersonalToken, SessionToken, Token},
    tasks::TaskRef,
    text::{Description, EmailAddress, Locale, Name, ProjectKey, RoleKey, Slug, Title},
};

use crate::{one_truth, utf8};

/// Every type of text.
pub fn text(bytes: &[u8]) {
    let Some(text) = utf8(bytes) else { return };
    for line in
        [one_truth::<Name>(text).map(|name| name.to_string()), one_truth::<Title>(text).map(|title| title.to_string())]
    {
        let Some(line) = line else { continue };
        assert!(!line.is_empty() && !line.contains(char::is_control) && line.trim() == line, "{line:?}");
    }
    one_truth::<Description>(text);
    one_truth::<EmailAddress>(text);
    one_truth::<Slug>(text);
    one_truth::<RoleKey>(text);
    one_truth::<Locale>(text);
    one_truth::<ProjectKey>(text);
    one_truth::<AccountId>(text);
    one_truth::<TaskId>(text);
    one_truth::<TaskRef>(text);
    let _ = text.parse::<SecondFactorCode>();
    let _ = text.parse::<CommentBody>();
}

/// `Authorization`.
pub fn credential(bytes: &[u8]) {
    let Some(header) = utf8(bytes) else { return };
    let Ok(credential) = Credential::from_header(header) else { return };
    let text = match &credential {
        Credential::Session(token) => token.reveal(),
        Credential::Personal(token) => token.reveal(),
    };
    assert_eq!(Credential::from_header(&format!("Bearer {text}")).as_ref(), Ok(&credential));
    assert!(header.ends_with(&text) || header.trim_end().ends_with(&text), "two spellings of one credential");
}

/// Tokens of every kind.
pub fn token(bytes: &[u8]) {
    let Some(text) = utf8(bytes) else { return };
    if let Ok(token) = text.parse::<Token>() {
        assert_eq!(token.reveal(), text.trim());
    }
    if let Ok(token) = text.parse::<CalendarToken>() {
        let bare = text.strip_suffix(".ics").unwrap_or(text);
        assert!(bare.parse::<Token>().is_ok_and(|bare| bare.hash() == token.hash()));
    }
    if let Ok(token) = text.parse::<SessionToken>() {
        assert_eq!(token.reveal(), text);
    }
    if let Ok(token) = text.parse::<PersonalToken>() {
        assert_eq!(token.reveal(), text);
    }
}

/// Where a page begins, and how long it is.
pub fn cursor(bytes: &[u8]) {
    let Some(text) = utf8(bytes) else { return };
    let _ = (text.parse::<Cursor>(), text.parse::<Limit>());
}

/// `If-Match`, `If-None-Match`.
pub fn tags(bytes: &[u8]) {
    utf8(bytes).into_iter().for_each(api::fuzz::tags);
}

/// `traceparent`.
pub fn traceparent(bytes: &[u8]) {
    utf8(bytes).into_iter().for_each(api::fuzz::traceparent);
}

/// Lists that an operator writes, and `X-Forwarded-For` read by them.
pub fn settings(bytes: &[u8]) {
    let Some(text) = utf8(bytes) else { return };
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    if let Ok(proxies) = first.parse::<TrustedProxies>() {
        let _ = proxies.client_address(peer, Some(rest));
    }
    let Ok(nobody) = "".parse::<TrustedProxies>() else { return };
    assert_eq!(nobody.client_address(peer, Some(text)), peer, "nobody is trusted");
    if let Ok(origins) = first.parse::<AllowedOrigins>() {
        let _ = origins.include(rest);
    }
    let _ = first.parse::<Rate>();
}

/// A line that is the address, if it is one, and then words, in every place of a mail; both as they come and as a title.
pub fn mail(bytes: &[u8]) {
    let Some(text) = utf8(bytes) else { return };
    let (address, words) = text.split_once('\n').unwrap_or(("", text));
    let Some(to) = address.parse().ok().or_else(|| "ada@example.org".parse::<EmailAddress>().ok()) else { return };
    worker::fuzz::mail(&to, words);
    if let Ok(title) = words.parse::<Title>() {
        worker::fuzz::mail(&to, title.as_str());
    }
}
