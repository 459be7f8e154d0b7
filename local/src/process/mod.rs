//! Programs that we start: described here, spawned so that they die with us, and stopped in order.

mod child;
mod ready;
mod spawner;

use std::{
    ffi::{OsStr, OsString},
    fs::{File, OpenOptions},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Stdio,
};

pub use child::Child;
pub(crate) use ready::{LogSince, until_ready};
pub use rustix::process::Signal;

use crate::{Error, Result, User};

/// Where a program's output goes.
#[derive(Clone, Debug, Default)]
pub enum Output {
    /// Nowhere.
    #[default]
    Nowhere,
    /// To where ours goes.
    Ours,
    /// To the end of a file.
    File(PathBuf),
}

/// A program to run, described step by step like [`std::process::Command`], with what that lacks:
/// whom to become, and how to end when its parent does.
#[derive(Debug)]
pub struct Program {
    name: String,
    path: PathBuf,
    args: Vec<OsString>,
    envs: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
    user: Option<User>,
    stdin: Option<File>,
    output: Output,
    on_parent_death: Signal,
}

impl Program {
    /// The program at `path`; `name` is for messages.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            path: path.into(),
            args: Vec::new(),
            envs: Vec::new(),
            directory: None,
            user: None,
            stdin: None,
            output: Output::Nowhere,
            on_parent_death: Signal::KILL,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable of its environment; the rest is inherited.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.envs.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Runs it in this directory.
    #[must_use]
    pub fn current_dir(mut self, directory: impl AsRef<Path>) -> Self {
        self.directory = Some(directory.as_ref().to_owned());
        self
    }

    /// Runs it as this user, when there is one to become.
    #[must_use]
    pub fn run_as(mut self, user: Option<User>) -> Self {
        self.user = user;
        self
    }

    /// Gives it this file as its standard input; without, it reads nothing.
    #[must_use]
    pub fn stdin(mut self, file: File) -> Self {
        self.stdin = Some(file);
        self
    }

    /// Sends its standard output and error there.
    #[must_use]
    pub fn output(mut self, output: Output) -> Self {
        self.output = output;
        self
    }

    /// The signal it gets when we end without stopping it, be it by `kill -9`: `INT`, `QUIT`, `TERM`,
    /// or `KILL`, which is what it gets unless this is set.
    #[must_use]
    pub fn on_parent_death(mut self, signal: Signal) -> Self {
        self.on_parent_death = signal;
        self
    }

    /// Starts it, in a process group of its own: a terminal's Ctrl-C reaches us only, and we stop
    /// our children in order.
    ///
    /// # Errors
    /// When the program or its log file cannot be opened.
    pub async fn spawn(self) -> Result<Child> {
        let (stdout, stderr) = match &self.output {
            Output::Nowhere => (Stdio::null(), Stdio::null()),
            Output::Ours => (Stdio::inherit(), Stdio::inherit()),
            Output::File(path) => {
                let log = OpenOptions::new().append(true).create(true).open(path);
                let log = log.map_err(Error::file("open", path))?;
                let copy = log.try_clone().map_err(Error::file("open", path))?;
                (log.into(), copy.into())
            }
        };
        let (name, last_signal) = (self.name.clone(), self.on_parent_death);
        let mut command = self.command();
        command.stdout(stdout).stderr(stderr);
        let child = spawner::spawn(command).await.map_err(Error::system(format!("run {name}")))?;
        Ok(Child::new(name, child, last_signal))
    }

    /// Runs it to its end and returns what it wrote to its standard output.
    ///
    /// # Errors
    /// When it cannot be started, and [`Error::Failed`] when it reports a failure.
    pub async fn run(self) -> Result<String> {
        let name = self.name.clone();
        let mut command = self.command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let child = spawner::spawn(command).await.map_err(Error::system(format!("run {name}")))?;
        let output = child.wait_with_output().await.map_err(Error::system(format!("wait for {name}")))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let said = last_lines(if err.trim().is_empty() { &out } else { &err }, 5);
        Err(Error::Failed { program: name, status: output.status.to_string(), said })
    }

    fn command(self) -> tokio::process::Command {
        let mut command = spawner::dying_with_us(&self.path, self.on_parent_death);
        command.args(self.args).envs(self.envs).process_group(0);
        command.stdin(self.stdin.map_or_else(Stdio::null, Stdio::from));
        if let Some(directory) = self.directory {
            command.current_dir(directory);
        }
        if let Some(user) = self.user {
            // Leaving root, the standard library gives up the supplementary groups as well.
            command.uid(user.uid).gid(user.gid);
        }
        command.into()
    }
}

/// The end of a text, for an error message.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
