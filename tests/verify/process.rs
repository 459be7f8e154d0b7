//! The API and the worker as processes of their own, which can be killed at any instruction.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use common::config::Settings;
use local::{Child, Output, Program, Signal};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// As long as the worker's own grace, and a little more.
const GRACE: Duration = Duration::from_secs(35);

/// Which process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `taskbell api`.
    Api,
    /// `taskbell worker`.
    Worker,
}

impl Role {
    /// The word that makes the binary of the tests one of these.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Worker => "worker",
        }
    }
}

/// A running process. Dropped, it is killed.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts it; what it writes goes to the end of `log`.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(role: Role, settings: &[(&str, String)], log: &Path) -> Self {
        let mut program = Program::new(role.name(), binary()).arg(role.name()).output(Output::File(log.to_owned()));
        for (name, value) in settings {
            program = program.env(name, value);
        }
        Self { child: program.spawn().await.unwrap() }
    }

    /// Its id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.pid()
    }

    /// `kill -9`.
    ///
    /// # Panics
    /// When the system cannot tell whether it ended.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// It stands still from now on, and does not know it.
    pub fn pause(&self) {
        self.child.signal(Signal::STOP);
    }

    /// It goes on where it stood.
    pub fn resume(&self) {
        self.child.signal(Signal::CONT);
    }

    /// SIGTERM, and its end.
    ///
    /// # Panics
    /// When it reports a failure: it should have lived through whatever there was.
    pub async fn stop(&mut self) {
        let status = self.child.stop(Signal::TERM, GRACE).await.unwrap();
        assert!(status.success(), "the {} ended with {status}", self.child.name());
    }

    /// Whether it still runs.
    ///
    /// # Panics
    /// When the system cannot tell.
    pub fn runs(&mut self) -> bool {
        self.child.ended().unwrap().is_none()
    }
}

/// The binary `verify`, which is built with the tests and is these processes when it is told to.
fn binary() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let found = this.ancestors().skip(1).map(|near| near.join("verify")).find(|path| path.is_file());
    found.expect("`cargo build -p tests --bins` makes verify")
}

/// What the binary does when it is one of these processes.
///
/// # Panics
/// When the process ends with an error; its words are in its log.
pub async fn be(role: Role) {
    let lines = tracing_subscriber::fmt().with_env_filter(EnvFilter::new("info,apalis_core=warn,sqlx=warn"));
    lines.with_ansi(false).with_writer(std::io::stderr).init();
    #[expect(clippy::disallowed_methods, reason = "this is an edge")]
    let settings = Settings::from_variables(std::env::vars()).unwrap();
    // Listened for from the beginning: it may be told to stop before it is ready.
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    let stop = async move {
        terminate.recv().await;
    };
    match role {
        Role::Api => api::run(&settings).await.unwrap(),
        Role::Worker => worker::run(&settings, stop).await.unwrap(),
    }
}
