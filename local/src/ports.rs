//! Ports on 127.0.0.1 that are free, and stay the same from run to run when they can.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::Path,
};

use crate::{Error, Result};

/// How many ports are tried before giving up: each was free a moment before.
const TRIES: usize = 5;

/// A port of 127.0.0.1 that was free a moment ago.
///
/// # Errors
/// When the system has no port left.
pub fn free_port() -> Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Error::system("find a free port"))
}

/// Starts something on the port remembered in `memory`, or else on any other that is free.
///
/// A server cannot be handed a bound socket, so between our look and its own another process may
/// take the port; it then says so with [`Error::PortTaken`] and the next port is tried.
pub(crate) async fn on_a_free_port<T, F>(memory: &Path, mut start: impl FnMut(u16) -> F) -> Result<(u16, T)>
where
    F: Future<Output = Result<T>>,
{
    let mut port = match remembered(memory) {
        Some(port) => port,
        None => free_port()?,
    };
    let mut tries = 1;
    loop {
        match start(port).await {
            Err(Error::PortTaken { .. }) if tries < TRIES => port = free_port()?,
            Err(error) => return Err(error),
            Ok(started) => {
                fs::write(memory, format!("{port}\n")).map_err(Error::file("write", memory))?;
                return Ok((port, started));
            }
        }
        tries += 1;
    }
}

fn remembered(memory: &Path) -> Option<u16> {
    let port = fs::read_to_string(memory).ok()?.trim().parse().ok()?;
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok().map(|_| port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_given_up_and_a_good_one_remembered() {
        let memory = std::env::temp_dir().join(format!("taskbell-port-{}", std::process::id()));
        let mut tried = 0;
        let (started, ()) = on_a_free_port(&memory, |port| {
            tried += 1;
            let is_taken = tried < 3;
            async move { if is_taken { Err(Error::PortTaken { name: "test", port }) } else { Ok(()) } }
        })
        .await
        .unwrap();
        assert_eq!(tried, 3);
        assert_eq!(remembered(&memory), Some(started));

        let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, started)).unwrap();
        assert_eq!(remembered(&memory), None, "a remembered port that is taken is forgotten");
        drop(holder);
        fs::remove_file(memory).unwrap();
    }
}
