//! The directory in which one run keeps everything, held by one run at a time.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use crate::{Error, Result, files::remove, postgres};

/// Marks a directory as ours, and is what the holder locks.
const MARKER: &str = "taskbell.lock";

/// A data directory that nobody else uses while this value lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    // The system gives the lock back when the process ends, however it ends.
    _lock: File,
}

impl DataDir {
    /// Takes the directory for this run, making it when it does not exist.
    ///
    /// # Errors
    /// [`Error::InUse`] when another run holds it, [`Error::NotOurs`] when it holds other files.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        fs::create_dir_all(path).map_err(Error::file("create", path))?;
        let path = path.canonicalize().map_err(Error::file("resolve", path))?;
        let marker = path.join(MARKER);
        let is_new = fs::read_dir(&path).map_err(Error::file("read", &path))?.next().is_none();
        if !is_new && !marker.is_file() {
            return Err(Error::NotOurs(path));
        }
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&marker)
            .map_err(Error::file("open", &marker))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse(path)),
            Err(TryLockError::Error(error)) => Err(Error::file("lock", &marker)(error)),
        }
    }

    /// Where it is, as an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Deletes the directory and everything in it, and what Postgres keeps elsewhere for it.
    /// A directory that does not exist is already reset.
    ///
    /// # Errors
    /// As [`DataDir::open`]; a directory that is not ours is left alone.
    pub async fn reset(path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        match fs::symlink_metadata(path.join(MARKER)) {
            Ok(_) => Self::open(path)?.wipe().await,
            Err(_) if !path.exists() => Ok(()),
            Err(_) => Err(Error::NotOurs(path.to_owned())),
        }
    }

    /// Deletes this directory; the marker goes last, so that a reset cut short can be repeated.
    ///
    /// # Errors
    /// What cannot be deleted.
    pub async fn wipe(self) -> Result<()> {
        postgres::remove_data(&self.path).await?;
        let entries = fs::read_dir(&self.path).map_err(Error::file("read", &self.path))?;
        for entry in entries {
            let entry = entry.map_err(Error::file("read", &self.path))?;
            if entry.file_name() != MARKER {
                remove(&entry.path())?;
            }
        }
        fs::remove_dir_all(&self.path).map_err(Error::file("delete", &self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("taskbell-data-{name}-{}", std::process::id()))
    }

    #[tokio::test]
    async fn only_one_run_at_a_time_holds_a_directory() {
        let path = scratch("held");
        let held = DataDir::open(&path).unwrap();
        assert!(matches!(DataDir::open(&path), Err(Error::InUse(_))));
        assert!(matches!(DataDir::reset(&path).await, Err(Error::InUse(_))));
        drop(held);
        DataDir::reset(&path).await.unwrap();
        assert!(!path.exists());
        DataDir::reset(&path).await.unwrap();
    }

    #[tokio::test]
    async fn a_directory_of_somebody_else_is_left_alone() {
        let path = scratch("foreign");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("thesis.txt"), "precious").unwrap();
        assert!(matches!(DataDir::open(&path), Err(Error::NotOurs(_))));
        assert!(matches!(DataDir::reset(&path).await, Err(Error::NotOurs(_))));
        assert!(path.join("thesis.txt").exists());
        fs::remove_dir_all(path).unwrap();
    }
}
