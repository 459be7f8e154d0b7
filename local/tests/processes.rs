//! Programs of ours: where their output goes, and how they end.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends at what it did not expect")]

use std::{fs, os::unix::process::ExitStatusExt, path::PathBuf, process, time::Duration};

use local::{Child, Error, Output, Program, Signal};

const SOON: Duration = Duration::from_secs(5);

fn log(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("taskbell-log-{name}-{}", process::id()))
}

/// A shell script that has written "ready" to its log, which is deleted then.
async fn script(name: &str, text: &str) -> Child {
    let log = log(name);
    let program = Program::new(name, "/bin/sh").args(["-c", text]).output(Output::File(log.clone()));
    let child = program.spawn().await.unwrap();
    let ready = async {
        while fs::read_to_string(&log).unwrap_or_default() != "ready\n" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, ready).await.expect("the script did not start");
    fs::remove_file(log).unwrap();
    child
}

#[tokio::test]
async fn a_program_is_asked_to_stop_and_may_end_in_its_own_way() {
    let mut polite = script("polite", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done").await;
    assert_eq!(polite.ended().unwrap(), None);
    let status = polite.stop(Signal::TERM, SOON).await.unwrap();
    assert_eq!((status.code(), polite.pid()), (Some(7), None));
    let again = polite.stop(Signal::TERM, SOON).await.unwrap();
    assert_eq!(again, status, "stopping what has ended tells how it ended");
}

#[tokio::test]
async fn a_program_that_does_not_listen_is_killed_at_the_deadline() {
    let mut deaf = script("deaf", "trap '' TERM; echo ready; while :; do sleep 0.01; done").await;
    let status = deaf.stop(Signal::TERM, Duration::from_millis(50)).await.unwrap();
    assert_eq!(status.signal(), Some(9));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_program_has_a_process_group_of_its_own() {
    let mut child = script("group", "echo ready; read forever < /dev/zero").await;
    let pid = child.pid().unwrap();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    assert_eq!(fields.split(' ').nth(2).unwrap(), pid.to_string());
    child.kill().await.unwrap();
}

#[tokio::test]
async fn a_program_that_fails_tells_why() {
    let failing = Program::new("script", "/bin/sh").args(["-c", "echo no luck >&2; exit 3"]);
    let error = failing.run().await.unwrap_err();
    assert!(matches!(&error, Error::Failed { said, .. } if said == "no luck"), "{error}");

    let echo = Program::new("echo", "/bin/sh").args(["-c", "echo $WORD"]).env("WORD", "hello");
    assert_eq!(echo.run().await.unwrap(), "hello\n");
}
