//! Keyset pages and their cursors.

use std::str::FromStr;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    access::Core,
    error::{Error, Result},
    input::{Fault, Faults, parsed_field},
};

/// One page of a list.
#[derive(Clone, Debug, Serialize)]
pub struct Page<T> {
    /// The items.
    pub data: Vec<T>,
    /// Where this page stands.
    pub page: PageInfo,
}

/// Where a page stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PageInfo {
    /// Give it back as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// How many items a page holds at most.
    pub limit: u8,
}

/// How many items a page holds: 1 to 200, 50 unless asked.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(minimum = 1, maximum = 200, default = 50, example = 50)]
pub struct Limit(u8);

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl Limit {
    /// One more than the page holds: the extra row tells whether there is a next page.
    pub(crate) fn and_one(self) -> i64 {
        i64::from(self.0) + 1
    }
}

/// Why a page was refused.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum PageFault {
    /// Out of range.
    #[error("must be a whole number from 1 to 200")]
    Limit,
    /// Altered, or of another organization, filter or server.
    #[error("is not a cursor of this list")]
    Cursor,
}

impl Fault for PageFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Limit => "not_a_limit",
            Self::Cursor => "not_a_cursor",
        }
    }
}

impl FromStr for Limit {
    type Err = PageFault;

    fn from_str(text: &str) -> Result<Self, PageFault> {
        text.parse().ok().filter(|limit| (1..=200).contains(limit)).map(Self).ok_or(PageFault::Limit)
    }
}

/// An opaque position in a list: the last id seen, authenticated for one organization and one filter.
#[derive(Clone, Debug, ToSchema)]
#[schema(value_type = String, pattern = "^[A-Za-z0-9_-]{43}$")]
pub struct Cursor([u8; 32]);

impl FromStr for Cursor {
    type Err = PageFault;

    fn from_str(text: &str) -> Result<Self, PageFault> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| PageFault::Cursor)?;
        bytes.try_into().map(Self).map_err(|_| PageFault::Cursor)
    }
}

crate::schema::list!(Page, "Page", "One page of a list.", page: PageInfo = "Where this page stands.");
parsed_field!(Limit);
parsed_field!(Cursor);

impl Cursor {
    fn seal(core: &Core, list: &str, position: Uuid) -> Self {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(position.as_bytes());
        bytes[16..].copy_from_slice(&core.db.key().tag(&context(core, list), position.as_bytes())[..16]);
        Self(bytes)
    }

    /// The id after which the page begins.
    pub(crate) fn open(&self, core: &Core, list: &str) -> Result<Uuid> {
        let position = Uuid::from_slice(&self.0[..16]).map_err(|fault| Error::Internal(Box::new(fault)))?;
        if core.db.key().authenticates(&context(core, list), position.as_bytes(), &self.0[16..]) {
            Ok(position)
        } else {
            Err(Error::BadCursor(Faults::at("/cursor", &PageFault::Cursor)))
        }
    }
}

fn context(core: &Core, list: &str) -> Vec<u8> {
    let org = core.org.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{org}\n{list}").into_bytes()
}

impl<T> Page<T> {
    /// From up to `limit` + 1 rows; `list` names the list with its filter.
    pub(crate) fn of(mut rows: Vec<T>, limit: Limit, core: &Core, list: &str, id: impl Fn(&T) -> Uuid) -> Self {
        let has_more = rows.len() > usize::from(limit.0);
        rows.truncate(usize::from(limit.0));
        let end = rows.last().filter(|_| has_more).map(id);
        let next_cursor = end.map(|id| BASE64_URL_SAFE_NO_PAD.encode(Cursor::seal(core, list, id).0));
        Self { data: rows, page: PageInfo { next_cursor, has_more, limit: limit.0 } }
    }
}
