//! Who the servers run as: Postgres refuses root, and neither server needs it.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// An account of this machine that servers run as when we are root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name, for messages.
    pub name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Whether this process is root.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

impl User {
    /// Whom to become: nobody else for an ordinary user, an unprivileged account for root.
    ///
    /// # Errors
    /// When root runs on a machine that has no unprivileged account at all.
    pub fn unprivileged() -> Result<Option<Self>> {
        if !is_root() {
            return Ok(None);
        }
        let accounts = accounts()?;
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| accounts.iter().find(|user| user.name == *name && user.uid != 0))
            .cloned()
            .map(Some)
            .ok_or_else(|| Error::System {
                doing: "find a user `postgres` or `nobody`, as Postgres refuses to run as root".into(),
                source: std::io::ErrorKind::NotFound.into(),
            })
    }

    /// As [`User::unprivileged`], but whoever owns the data of an earlier run keeps it.
    ///
    /// A project of an ordinary user that is once started with `sudo` stays usable without.
    pub(crate) fn for_data(path: &Path) -> Result<Option<Self>> {
        if !is_root() {
            return Ok(None);
        }
        match fs::metadata(path) {
            Ok(data) if data.uid() != 0 => {
                let owner = accounts()?.into_iter().find(|user| user.uid == data.uid());
                owner.map_or_else(Self::unprivileged, |owner| Ok(Some(owner)))
            }
            _ => Self::unprivileged(),
        }
    }

    /// The first directory on the way to `path` (inclusive) that this user may not enter.
    pub(crate) fn stopped_at(&self, path: &Path) -> Result<Option<PathBuf>> {
        let path = path.canonicalize().map_err(Error::file("resolve", path))?;
        for directory in path.ancestors() {
            let found = fs::metadata(directory).map_err(Error::file("look at", directory))?;
            let may_enter = if found.uid() == self.uid {
                found.mode() & 0o100
            } else if found.gid() == self.gid {
                found.mode() & 0o010
            } else {
                found.mode() & 0o001
            };
            if may_enter == 0 {
                return Ok(Some(directory.to_owned()));
            }
        }
        Ok(None)
    }

    /// Hands a file or an (empty) directory over to this user.
    pub(crate) fn give(&self, path: &Path) -> Result<()> {
        chown(path, Some(self.uid), Some(self.gid)).map_err(Error::file("hand over", path))
    }
}

/// The local accounts. `/etc/passwd` and not the name service: the accounts looked for are always
/// local ones, and the C library's look-up is not reachable without unsafe code.
fn accounts() -> Result<Vec<User>> {
    let passwd = fs::read_to_string("/etc/passwd").map_err(Error::file("read", "/etc/passwd"))?;
    Ok(passwd.lines().filter_map(account).collect())
}

fn account(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    let name = fields.next()?.to_owned();
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(User { name, uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_from_its_line() {
        let user = account("postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash");
        assert_eq!(user, Some(User { name: "postgres".into(), uid: 101, gid: 104 }));
        assert_eq!(account("# a comment"), None);
    }

    #[test]
    fn everyone_may_enter_the_root_directory_and_nobody_else_a_private_one() {
        use std::os::unix::fs::PermissionsExt;
        let stranger = User { name: "stranger".into(), uid: 54_321, gid: 54_321 };
        assert_eq!(stranger.stopped_at(Path::new("/")).unwrap(), None);

        let private = std::env::temp_dir().join(format!("taskbell-private-{}", std::process::id()));
        fs::create_dir(&private).unwrap();
        fs::set_permissions(&private, fs::Permissions::from_mode(0o700)).unwrap();
        let stopped = stranger.stopped_at(&private).unwrap();
        fs::remove_dir(&private).unwrap();
        assert!(stopped.is_some());
    }
}
