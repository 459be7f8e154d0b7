//! Servers from the distribution's own packages, without installing them and without root.
//!
//! Apt is given a private state (lists and archives in our cache) over the system's own sources and
//! keys, so packages are as authentic as installed ones, and nothing of the system changes. The
//! host's list of installed packages stays, so that only what the host lacks is fetched.

mod apt;
mod cache;

use std::{
    fs,
    path::{Path, PathBuf},
};

pub(crate) use apt::Apt;
pub(crate) use cache::Cache;

/// Whether this machine has Debian's tools.
pub(crate) fn is_here() -> bool {
    ["apt-get", "dpkg-deb"].iter().all(|tool| Path::new("/usr/bin").join(tool).is_file())
}

/// The directories below an unpacked tree that hold shared libraries.
pub(crate) fn library_directories(tree: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for root in ["lib", "usr/lib"] {
        collect(&tree.join(root), 3, &mut found);
    }
    found
}

fn collect(directory: &Path, depth: u8, found: &mut Vec<PathBuf>) {
    let mut holds_libraries = false;
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if depth > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&entry.path(), depth - 1, found);
        } else if name.starts_with("lib") && name.contains(".so") {
            holds_libraries = true;
        }
    }
    if holds_libraries {
        found.push(directory.to_owned());
    }
}
