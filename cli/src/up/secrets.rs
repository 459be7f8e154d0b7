//! The secrets of a private stack: made once, kept beside its data.

use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use common::secrets::Token;
use serde::{Deserialize, Serialize};

use crate::Failure;

/// What a private stack keeps to itself.
#[derive(Serialize, Deserialize)]
pub(super) struct Secrets {
    pub(super) server_key: String,
    pub(super) app_password: String,
    pub(super) worker_password: String,
}

impl Secrets {
    /// Those of an earlier run, or new ones.
    pub(super) fn of(data: &Path) -> Result<Self, Failure> {
        let file = data.join("secrets.json");
        if file.exists() {
            return Ok(serde_json::from_slice(&std::fs::read(file)?)?);
        }
        let random = || Token::random().map(|token| token.reveal());
        let secrets = Self { server_key: random()?, app_password: random()?, worker_password: random()? };
        let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
        out.write_all(&serde_json::to_vec(&secrets)?)?;
        Ok(secrets)
    }
}
