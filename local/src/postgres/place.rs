//! Where the cluster is: in the data directory, unless its user cannot get there.
//!
//! Root's projects often lie below root's home, which no other user may enter, and Postgres refuses
//! to run as root. The cluster then goes to `/var/tmp`, and a link in the data directory leads there.

use std::{
    fmt::Write,
    fs::{self, DirBuilder, Permissions},
    io::ErrorKind,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink},
    },
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::{Error, Progress, Result, User, files};

/// The cluster's name in the data directory.
pub(super) const NAME: &str = "postgres";

/// Where the cluster for `dir` is, or is to be.
pub(super) fn choose(dir: &Path, user: Option<&User>, progress: Progress) -> Result<PathBuf> {
    let usual = dir.join(NAME);
    let elsewhere = elsewhere(dir);
    let link = fs::read_link(&usual).ok();
    let linked = link.as_deref() == Some(&elsewhere.join(NAME));
    if link.is_some() && !linked {
        // The project was copied or moved: that cluster belongs to the place it came from.
        files::remove(&usual)?;
    }
    let Some(user) = user else { return Ok(usual) };
    if !linked {
        let Some(closed) = user.stopped_at(dir)? else { return Ok(usual) };
        let reason = format!("user {} may not enter {}", user.name, closed.display());
        if usual.exists() {
            return Err(Error::Unusable { path: usual, why: reason });
        }
        progress.note(format_args!("Postgres keeps its data in {}, because {reason}", elsewhere.display()));
    }
    // Also when the link is there already: systems may sweep `/var/tmp` of what was long unused.
    make(&elsewhere)?;
    if !linked {
        symlink(elsewhere.join(NAME), &usual).map_err(Error::file("create", &usual))?;
    }
    Ok(elsewhere.join(NAME))
}

/// Deletes the cluster of `dir`, and the link when it is elsewhere.
pub(super) fn remove(dir: &Path) -> Result<()> {
    let usual = dir.join(NAME);
    let elsewhere = elsewhere(dir);
    if fs::read_link(&usual).is_ok_and(|target| target == elsewhere.join(NAME)) && is_ours(&elsewhere) {
        files::remove(&elsewhere)?;
    }
    files::remove(&usual)
}

/// Anyone may make directories in `/var/tmp`: one that is there already must be our own.
fn make(elsewhere: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o711).create(elsewhere) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && is_ours(elsewhere) => {}
        other => other.map_err(Error::file("create", elsewhere))?,
    }
    // Whatever the umask: the cluster's user has to pass through.
    fs::set_permissions(elsewhere, Permissions::from_mode(0o711)).map_err(Error::file("open up", elsewhere))
}

fn is_ours(directory: &Path) -> bool {
    let us = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(directory).is_ok_and(|found| found.is_dir() && found.uid() == us)
}

fn elsewhere(dir: &Path) -> PathBuf {
    let digest = Sha256::digest(dir.as_os_str().as_bytes());
    let short = digest.iter().take(5).fold(String::new(), |mut hash, byte| {
        let _ = write!(hash, "{byte:02x}");
        hash
    });
    Path::new("/var/tmp").join(format!("taskbell-{short}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_that_its_user_cannot_reach_is_kept_elsewhere_and_deleted_there() {
        let stranger = User { name: "stranger".into(), uid: 54_321, gid: 54_321 };
        let dir = std::env::temp_dir().join(format!("taskbell-closed-{}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&dir).unwrap();
        let choose = || choose(&dir, Some(&stranger), Progress::quiet()).unwrap();

        let data = choose();
        assert!(data.starts_with("/var/tmp"));
        fs::remove_dir(elsewhere(&dir)).unwrap();
        assert_eq!(choose(), data, "the next run finds its place again, or makes it");
        fs::create_dir(&data).unwrap();
        assert!(dir.join(NAME).is_dir(), "a link leads there");

        remove(&dir).unwrap();
        assert!(!data.exists() && !elsewhere(&dir).exists() && fs::symlink_metadata(dir.join(NAME)).is_err());
        fs::remove_dir(dir).unwrap();
    }

    #[test]
    fn a_copied_project_does_not_share_the_cluster_of_its_original() {
        let dir = std::env::temp_dir().join(format!("taskbell-copied-{}", std::process::id()));
        fs::create_dir(&dir).unwrap();
        symlink(elsewhere(Path::new("/original")).join(NAME), dir.join(NAME)).unwrap();
        assert_eq!(choose(&dir, None, Progress::quiet()).unwrap(), dir.join(NAME));
        assert!(fs::symlink_metadata(dir.join(NAME)).is_err(), "the link is gone");
        fs::remove_dir(dir).unwrap();
    }
}
