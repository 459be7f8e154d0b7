//! The readers of files that come in, for `tests/fuzz`, which cannot see them.

use std::io::Write as _;

use super::{
    import::check,
    spool::{Received, broken},
    table,
};
use crate::{error::Result, input::Faults};

/// Of each row of a table the line on which it begins, and what is wrong with it.
///
/// # Errors
/// The disk's.
pub fn rows(bytes: &[u8]) -> Result<Vec<(u32, Result<(), Faults>)>> {
    let mut file = tempfile::tempfile().map_err(broken)?;
    file.write_all(bytes).map_err(broken)?;
    let mut found = Vec::new();
    table::rows(&mut Received::of(file), &mut |line, row| {
        found.push((line, row.map(drop)));
        true
    })?;
    Ok(found)
}

/// What is wrong with a line of an export.
///
/// # Errors
/// That.
pub fn line(bytes: &[u8]) -> Result<(), Faults> {
    check(bytes)
}
