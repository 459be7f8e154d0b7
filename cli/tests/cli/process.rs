//! A `taskbell` under test.

use std::{
    env::temp_dir,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio},
};

/// A directory of one test, deleted with it.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> Self {
        Self(temp_dir().join(format!("taskbell-cli-{name}-{}", std::process::id())))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = taskbell(&["reset", "--data", self.0.to_str().unwrap()]).output();
    }
}

/// The binary with arguments, with none of the settings that the test itself may have been given.
pub(crate) fn taskbell(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taskbell"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TASKBELL_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs it to its end: the exit code and what it said on standard error.
pub(crate) fn fails(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    said
}

/// One that runs while the test watches.
pub(crate) struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    pub(crate) said: String,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, said: String::new() }
    }

    /// Reads on until a line holds `words`; gives that line.
    pub(crate) fn until(&mut self, words: &str) -> String {
        for line in self.lines.by_ref() {
            let line = line.unwrap();
            self.said.push_str(&line);
            self.said.push('\n');
            if line.contains(words) {
                return line;
            }
        }
        panic!("it ended without saying \"{words}\":\n{}", self.said);
    }

    /// Reads on to its end.
    pub(crate) fn read_to_end(&mut self) -> ExitStatus {
        for line in self.lines.by_ref() {
            self.said.push_str(&line.unwrap());
            self.said.push('\n');
        }
        self.child.wait().unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // For a test that failed: its processes die with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal.
pub(crate) fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap().success());
}

/// The processes whose command line or directory names the path.
pub(crate) fn processes_of(path: &Path) -> Vec<String> {
    let path = path.to_str().unwrap();
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let mine = std::process::id().to_string();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok() && *entry.file_name() != *mine)
        .filter_map(|entry| {
            let words = fs::read_to_string(entry.path().join("cmdline")).ok()?.replace('\0', " ");
            let at =
                fs::read_link(entry.path().join("cwd")).ok().map(|at| at.display().to_string()).unwrap_or_default();
            let environment = fs::read_to_string(entry.path().join("environ")).unwrap_or_default();
            (words.contains(path) || at.contains(path) || environment.contains(path)).then_some(words)
        })
        .collect()
}
