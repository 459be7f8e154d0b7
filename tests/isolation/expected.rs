//! What is committed is what holds: the policies, the grants, the matrix. A change is a reviewed diff.
//!
//! `UPDATE_MATRIX=1 cargo test -p tests --test isolation` writes them anew.

use std::{fs, path::PathBuf};

use harness::variable;

/// Compares a text with the committed file of that name, or writes the file if told to.
pub(crate) fn assert_committed(name: &str, actual: &str) {
    let committed = committed(name);
    if is_updating() {
        write(name, actual);
        return;
    }
    let (was, is): (Vec<_>, Vec<_>) = (committed.lines().collect(), actual.lines().collect());
    let gone = was.iter().filter(|line| !is.contains(line)).map(|line| format!("- {line}\n"));
    let new = is.iter().filter(|line| !was.contains(line)).map(|line| format!("+ {line}\n"));
    let changes: String = gone.chain(new).collect();
    assert!(
        committed == actual,
        "{} is not what holds; UPDATE_MATRIX=1 writes it anew:\n{changes}",
        path(name).display()
    );
}

/// The committed text; nothing, if there is none yet.
pub(crate) fn committed(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_default()
}

/// Writes what holds now.
pub(crate) fn write(name: &str, actual: &str) {
    fs::write(path(name), actual).unwrap();
}

/// Whether the committed files are to be written anew.
pub(crate) fn is_updating() -> bool {
    variable("UPDATE_MATRIX").is_some_and(|value| value == "1")
}

/// Whether this is the long run (`TASKBELL_TESTS=full`).
pub(crate) fn is_full() -> bool {
    variable("TASKBELL_TESTS").is_some_and(|value| value == "full")
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("isolation").join(name)
}
