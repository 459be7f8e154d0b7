//! What a Postgres server says about itself in the file `postmaster.pid` of its data directory.

use std::{fs, io, path::Path, process::Command, time::Duration};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::time::{sleep, timeout};

use crate::{Error, Result, files::remove};

/// The line of the file that holds the state; Postgres pads it with blanks.
const STATE_LINE: usize = 7;

/// Whether the server with this process id takes connections.
pub(super) fn is_ready(data: &Path, pid: Option<u32>) -> bool {
    let said = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let mut lines = said.lines().map(str::trim);
    // The file of a server that crashed stays behind: only our child's word counts.
    let is_of_child = lines.next().and_then(|line| line.parse().ok()) == pid && pid.is_some();
    is_of_child && lines.nth(STATE_LINE - 1) == Some("ready")
}

/// Stops a server that an earlier run left on this data, which happens where children cannot be
/// made to die with their parent.
pub(super) async fn stop_left_over(data: &Path) -> Result<()> {
    let file = data.join("postmaster.pid");
    let said = fs::read_to_string(&file).unwrap_or_default();
    let pid = said.lines().next().and_then(|line| line.trim().parse().ok()).and_then(Pid::from_raw);
    let Some(pid) = pid else { return Ok(()) };
    for signal in [Signal::INT, Signal::QUIT, Signal::KILL] {
        if !serves(pid, data) {
            return forget(pid, &file);
        }
        let _ = kill_process(pid, signal);
        if timeout(Duration::from_secs(10), gone(pid)).await.is_ok() {
            return Ok(());
        }
    }
    let still = io::Error::from(io::ErrorKind::TimedOut);
    Err(Error::system(format!("stop the Postgres with process id {pid} of an earlier run"))(still))
}

/// After a power cut, the id in the file may by now be that of another process, and Postgres then
/// refuses to start. Only in that case is the file deleted: Postgres also finds in it the sessions
/// that a crash left behind.
fn forget(pid: Pid, file: &Path) -> Result<()> {
    if test_kill_process(pid).is_ok() { remove(file) } else { Ok(()) }
}

/// Whether the process is a Postgres on exactly this data: the id in an old file may by now be
/// anybody's, and a server that is not ours is never touched.
fn serves(pid: Pid, data: &Path) -> bool {
    let data = data.to_string_lossy();
    let pid = pid.as_raw_nonzero();
    if let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) {
        let line = String::from_utf8_lossy(&line);
        let mut words = line.split('\0');
        return words.next().is_some_and(|program| program.ends_with("postgres")) && words.any(|word| word == data);
    }
    let listed = Command::new("ps").args(["-p", &pid.to_string(), "-o", "command="]).output();
    listed.is_ok_and(|listed| {
        let line = String::from_utf8_lossy(&listed.stdout);
        line.contains("postgres -D ") && line.contains(&format!(" {data} "))
    })
}

/// Not our child, so nobody tells us of its end.
async fn gone(pid: Pid) {
    while test_kill_process(pid).is_ok() {
        sleep(Duration::from_millis(20)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_of_our_own_child_counts() {
        let data = std::env::temp_dir().join(format!("taskbell-postmaster-{}", std::process::id()));
        fs::create_dir(&data).unwrap();
        let write = |state| {
            let said = format!("4711\n/data\n1700000000\n40123\n\n127.0.0.1\n 1234  0\n{state}\n");
            fs::write(data.join("postmaster.pid"), said).unwrap();
        };
        assert!(!is_ready(&data, Some(4711)));
        write("starting");
        assert!(!is_ready(&data, Some(4711)));
        write("ready   ");
        assert!(is_ready(&data, Some(4711)));
        assert!(!is_ready(&data, Some(4712)));
        assert!(!is_ready(&data, None));
        fs::remove_dir_all(data).unwrap();
    }

    #[tokio::test]
    async fn a_process_that_is_no_postgres_on_our_data_is_not_touched() {
        let data = std::env::temp_dir().join(format!("taskbell-not-ours-{}", std::process::id()));
        fs::create_dir(&data).unwrap();
        // This very test: had it been signalled, it would not live to see the end.
        fs::write(data.join("postmaster.pid"), format!("{}\n", std::process::id())).unwrap();
        stop_left_over(&data).await.unwrap();
        assert!(!data.join("postmaster.pid").exists(), "Postgres would take us for a server");
        fs::remove_dir_all(data).unwrap();
    }
}
