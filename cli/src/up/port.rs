//! The API's port, kept for one stack.

use std::{
    env::temp_dir,
    fs::{File, OpenOptions},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::OpenOptionsExt,
};

use crate::Failure;

/// A port that no other stack of this machine takes, though the API will listen on it only in a moment: two that start at
/// once would both find it free, and each take the other's API for its own.
pub(super) struct Port {
    pub(super) number: u16,
    /// The system gives it back when the process ends, however it ends.
    _kept: File,
}

impl Port {
    /// The one that was asked for; else 8000 or the next that is free.
    pub(super) fn choose(asked: Option<u16>) -> Result<Self, Failure> {
        match asked {
            Some(port) => keep(port).ok_or_else(|| format!("port {port} is busy; choose another with --port").into()),
            None => {
                (8000..8100).find_map(keep).ok_or_else(|| "ports 8000 to 8099 are busy; choose one with --port".into())
            }
        }
    }
}

fn keep(number: u16) -> Option<Port> {
    let path = temp_dir().join(format!("taskbell-port-{number}.lock"));
    // The file may be another user's, who was here before: it can be locked without being written to.
    let kept = File::open(&path)
        .or_else(|_| OpenOptions::new().write(true).create(true).truncate(false).mode(0o644).open(&path))
        .ok()?;
    kept.try_lock().ok()?;
    TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
    Some(Port { number, _kept: kept })
}
