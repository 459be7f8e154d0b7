//! What the standard library lacks for files.

use std::{fs, io::ErrorKind, path::Path};

use crate::{Error, Result};

/// Deletes a file, a link (not what it points to) or a directory; gone already is fine.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::file("delete", path)(error)),
        _ => Ok(()),
    }
}
