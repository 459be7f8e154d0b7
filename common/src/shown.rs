//! What is answered with: its JSON, and the name of these very bytes.

use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    error::{Error, Result},
    page::Page,
};

/// Something that can be answered with.
pub trait Shown: Serialize {
    /// Whether it shows a secret that is kept nowhere: then there is no saying it again.
    const ONCE: bool = false;

    /// Which version of it this is, for whoever means to change that one and no other; none where it has no versions.
    fn version(&self) -> Option<i32> {
        None
    }

    /// The cursor of the page that comes next; none where there is none.
    fn next(&self) -> Option<&str> {
        None
    }
}

/// Says of a type that it can be answered with; where it has versions, which field holds them; and of what shows a secret, that it
/// does so `once`.
macro_rules! shown {
    (once $shown:ty) => {
        impl $crate::shown::Shown for $shown {
            const ONCE: bool = true;
        }
    };
    ($shown:ty) => {
        impl $crate::shown::Shown for $shown {}
    };
    ($shown:ty, $($version:ident).+) => {
        impl $crate::shown::Shown for $shown {
            fn version(&self) -> Option<i32> {
                Some(self.$($version).+)
            }
        }
    };
}
pub(crate) use shown;

impl<T: Serialize> Shown for Page<T> {
    fn next(&self) -> Option<&str> {
        self.page.next_cursor.as_deref().filter(|_| self.page.has_more)
    }
}

/// Something as it is sent.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// Its JSON.
    pub json: Vec<u8>,
    /// The name of these bytes, without quotes. It begins with the version where there is one: whoever may see more of the
    /// same version is sent other bytes under another name.
    pub tag: String,
}

impl Rendered {
    /// Something as it is sent.
    ///
    /// # Errors
    /// [`Error::Internal`] when it is no JSON.
    pub fn of(shown: &impl Shown) -> Result<Self> {
        let json = serde_json::to_vec(shown).map_err(|fault| Error::Internal(Box::new(fault)))?;
        Ok(Self::named(json, shown.version()))
    }

    /// Its JSON as text.
    pub(crate) fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.json).map_err(|fault| Error::Internal(Box::new(fault)))
    }

    /// JSON that has been written already.
    #[must_use]
    pub fn named(json: Vec<u8>, version: Option<i32>) -> Self {
        let mut tag = version.map_or_else(String::new, |version| format!("{version}-"));
        for byte in &Sha256::digest(&json)[..8] {
            // Writing to a String cannot fail.
            let _ = write!(tag, "{byte:02x}");
        }
        Self { json, tag }
    }
}
