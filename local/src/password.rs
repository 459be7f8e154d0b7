//! Passwords of the private servers: random, made once, kept in files that only we can read.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rand::distr::{Alphanumeric, SampleString};

use crate::{Error, Result};

/// The password kept in `path`, made on first use. Letters and digits only, so that it needs no
/// escaping in a URL or in a configuration file.
pub(crate) fn keep(path: &Path) -> Result<String> {
    match fs::read_to_string(path) {
        Ok(password) if !password.is_empty() => Ok(password),
        Ok(_) => renew(path),
        Err(error) if error.kind() == ErrorKind::NotFound => renew(path),
        Err(error) => Err(Error::file("read", path)(error)),
    }
}

/// Another password, kept in `path` instead of the one before.
pub(crate) fn renew(path: &Path) -> Result<String> {
    let password = Alphanumeric.sample_string(&mut rand::rng(), 32);
    write_private(path, &password)?;
    Ok(password)
}

/// Writes a file that only its owner may read; never visible half-written or with wider permissions.
pub(crate) fn write_private(path: &Path, content: &str) -> Result<()> {
    let partial = path.with_added_extension("partial");
    let _ = fs::remove_file(&partial);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .and_then(|()| fs::rename(&partial, path))
        .map_err(Error::file("write", path))
}
