//! From where browsers may call the API: the pages of which other sites.

use std::str::FromStr;

use serde::Deserialize;
use url::Url;

/// The origins whose scripts may read answers. None by default: then browsers keep them to themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct AllowedOrigins(Vec<String>);

/// The list cannot be read; tells which entry, counted from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {0} is not an origin as browsers write it, such as https://app.example.org (no path, no wildcard)")]
pub struct NotAnOrigin(usize);

impl FromStr for AllowedOrigins {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let entries = (1..).zip(text.split(',').map(str::trim)).filter(|(_, entry)| !entry.is_empty());
        entries
            .map(|(place, entry)| if is_origin(entry) { Ok(entry.to_owned()) } else { Err(NotAnOrigin(place)) })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl TryFrom<String> for AllowedOrigins {
    type Error = NotAnOrigin;

    fn try_from(text: String) -> Result<Self, NotAnOrigin> {
        text.parse()
    }
}

impl AllowedOrigins {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a request from there may be answered. To the letter: `https://example.org.evil.net` is somebody else.
    #[must_use]
    pub fn include(&self, origin: &str) -> bool {
        self.0.iter().any(|known| known == origin)
    }
}

/// Compared as text later, so it must be written in the one way in which browsers write it.
fn is_origin(text: &str) -> bool {
    Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        let list: AllowedOrigins = "https://app.example.org, http://localhost:5173 ,".parse().unwrap();
        assert!(list.include("https://app.example.org") && list.include("http://localhost:5173"));
        for other in [
            "https://app.example.org.evil.net",
            "http://app.example.org",
            "https://app.example.org:444",
            "null",
            "*",
            "",
        ] {
            assert!(!list.include(other), "{other}");
        }
        assert!("".parse::<AllowedOrigins>().unwrap().is_empty());
        for bad in [
            "*",
            "null",
            "app.example.org",
            "https://app.example.org/",
            "https://APP.example.org",
            "https://a.org:443",
            "https://*.example.org/x",
            "file:///etc",
            "https://u@a.org",
        ] {
            assert_eq!(format!("https://a.org,{bad}").parse::<AllowedOrigins>(), Err(NotAnOrigin(2)), "{bad}");
        }
    }

    #[test]
    fn nobody_is_let_in_by_default() {
        let read = |value: Option<&str>| {
            let variable = value.map(|value| ("TASKBELL_CORS_ORIGINS".to_owned(), value.to_owned()));
            crate::config::Settings::from_variables(variable).map(|settings| settings.cors_origins)
        };
        assert!(read(None).unwrap().is_empty() && read(Some("")).unwrap().is_empty());
        let said = read(Some("https://a.org,*")).unwrap_err().to_string();
        assert!(said.contains("TASKBELL_CORS_ORIGINS") && said.contains("entry 2"), "{said}");
    }
}
