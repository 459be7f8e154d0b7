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
    /// How many items the whole list has, for whoever asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub total: Option<Total>,
}

/// How many items a list has. Counting means looking at each, so it ends at 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Total {
    /// So many.
    pub count: i64,
    /// False: there are more.
    pub exact: bool,
}

impl Total {
    /// Beyond that nobody counts.
    pub(crate) const MOST: i64 = 10_000;

    /// From a count of at most one more.
    pub(crate) fn of(counted: i64) -> Self {
        Self { count: counted.min(Self::MOST), exact: counted <= Self::MOST }
    }
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

/// An opaque position in a list, authenticated for one organization, one list, its filter and its order.
#[derive(Clone, Debug, ToSchema)]
#[schema(value_type = String, max_length = 2731, pattern = "^[A-Za-z0-9_-]{23,}$")]
pub struct Cursor(Vec<u8>);

/// How many bytes authenticate a cursor.
const TAG: usize = 16;
/// No position needs more.
const LONGEST: usize = 2_048;

impl FromStr for Cursor {
    type Err = PageFault;

    fn from_str(text: &str) -> Result<Self, PageFault> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| PageFault::Cursor)?;
        if (TAG + 1..=LONGEST).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(PageFault::Cursor) }
    }
}

crate::schema::list!(Page, "Page", "One page of a list.", page: PageInfo = "Where this page stands.");
parsed_field!(Limit);
parsed_field!(Cursor);

impl Cursor {
    /// The text of a position; `list` names the list with its filter and its order.
    pub(crate) fn seal(core: &Core, list: &str, position: &[u8]) -> String {
        let tag = core.db.key().tag(&context(core, list), position);
        BASE64_URL_SAFE_NO_PAD.encode([position, &tag[..TAG]].concat())
    }

    /// The id after which the page begins.
    pub(crate) fn open(&self, core: &Core, list: &str) -> Result<Uuid> {
        Uuid::from_slice(self.position(core, list)?).map_err(|_| refused())
    }

    /// What was sealed.
    pub(crate) fn position(&self, core: &Core, list: &str) -> Result<&[u8]> {
        let (position, tag) = self.0.split_at(self.0.len() - TAG);
        if core.db.key().authenticates(&context(core, list), position, tag) { Ok(position) } else { Err(refused()) }
    }
}

fn refused() -> Error {
    Error::BadCursor(Faults::at("/cursor", &PageFault::Cursor))
}

fn context(core: &Core, list: &str) -> Vec<u8> {
    let org = core.org.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{org}\n{list}").into_bytes()
}

impl<T> Page<T> {
    /// From up to `limit` + 1 rows in the order of their ids; `list` names the list with its filter.
    pub(crate) fn of(rows: Vec<T>, limit: Limit, core: &Core, list: &str, id: impl Fn(&T) -> Uuid) -> Self {
        Self::cut(rows, limit, |row| Cursor::seal(core, list, id(row).as_bytes()))
    }

    /// From up to `limit` + 1 rows, whatever their order; `cursor` seals the position of one.
    pub(crate) fn cut(mut rows: Vec<T>, limit: Limit, cursor: impl Fn(&T) -> String) -> Self {
        let has_more = rows.len() > usize::from(limit.0);
        rows.truncate(usize::from(limit.0));
        let next_cursor = rows.last().filter(|_| has_more).map(cursor);
        Self { data: rows, page: PageInfo { next_cursor, has_more, limit: limit.0, total: None } }
    }

    /// The same page of what these are shown as.
    pub(crate) fn map<U>(self, shown: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(shown).collect(), page: self.page }
    }
}
