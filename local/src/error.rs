//! What can go wrong, each in one sentence that says what to type where there is something to type.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a local service could not be given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused something about a file.
    #[error("could not {doing} {path}: {source}")]
    File {
        /// What was tried, as a verb.
        doing: &'static str,
        /// The file it was tried on.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// The operating system refused something that has no path.
    #[error("could not {doing}: {source}")]
    System {
        /// What was tried, as a phrase that begins with a verb.
        doing: String,
        /// What the system said.
        source: io::Error,
    },

    /// A program that was to run to its end reported a failure.
    #[error("{program} failed ({status}): {said}")]
    Failed {
        /// The program.
        program: String,
        /// Its exit status.
        status: String,
        /// The end of what it wrote.
        said: String,
    },

    /// A server is neither installed nor can it be fetched.
    #[error("no {what} on this machine; {advice}")]
    Missing {
        /// What was looked for, with the version it must have.
        what: String,
        /// What to do, with the line to type.
        advice: &'static str,
    },

    /// The distribution has the server, but fetching it without installing did not work.
    #[error("could not fetch {what} without installing it; {advice} ({why})")]
    Fetch {
        /// What was to be fetched.
        what: String,
        /// What to do, with the line to type.
        advice: &'static str,
        /// What went wrong.
        why: String,
    },

    /// A server ended, or stayed silent, before it was ready.
    #[error("{name} {why}; the end of its log says:\n{log}")]
    NotReady {
        /// The server.
        name: String,
        /// How it failed.
        why: String,
        /// The last lines of its log.
        log: String,
    },

    /// Another process took the port between our look and the server's.
    #[error("port {port} of 127.0.0.1 was taken before {name} could listen on it; try again")]
    PortTaken {
        /// The server.
        name: &'static str,
        /// The port.
        port: u16,
    },

    /// What is on disk cannot be used by what is installed.
    #[error("the data in {path} cannot be used, because {why}; to begin anew, type: cargo run -- reset")]
    Unusable {
        /// The data directory.
        path: PathBuf,
        /// Why not.
        why: String,
    },

    /// Another run holds the data directory.
    #[error("another `cargo run` is using {0}; stop it or choose another directory with --data")]
    InUse(PathBuf),

    /// A directory that Taskbell did not make.
    #[error("{0} is not a data directory of Taskbell; choose an empty or new directory with --data")]
    NotOurs(PathBuf),

    /// A mail that was waited for did not come.
    #[error("no such mail within {waited:?}; the inbox holds {held} others")]
    NoMail {
        /// How long was waited.
        waited: Duration,
        /// How many mails there are that do not match.
        held: usize,
    },

    /// The page that shows the mails could not be served.
    #[error("could not serve the mail page: {0}")]
    Page(String),
}

impl Error {
    /// For `map_err` on a file operation: `Error::file("read", path)`.
    pub(crate) fn file(doing: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::File { doing, path, source }
    }

    /// For `map_err` on an operation without a path: `Error::system("bind a port")`.
    pub(crate) fn system(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::System { doing, source }
    }
}
