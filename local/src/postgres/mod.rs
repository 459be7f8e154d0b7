//! A private Postgres: its own data directory, on 127.0.0.1 only, never as root.

mod cluster;
mod place;
mod postmaster;

use std::{
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use tokio::time::sleep;

use crate::{
    Binaries, Child, Error, Output, Progress, Result, Signal, User, files, ports,
    process::{LogSince, until_ready},
};
use cluster::Cluster;

/// How long a fast shutdown may take: it ends sessions and writes a checkpoint.
const STOP_DEADLINE: Duration = Duration::from_secs(20);

/// How a private Postgres is to run.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Where the cluster, its password, its port and its log are kept.
    pub dir: PathBuf,
    /// Whether data is to survive a power cut; tests do without and are faster.
    pub durable: bool,
    /// How many connections it takes.
    pub max_connections: u16,
}

/// A running private Postgres. Dropped, it shuts down.
pub struct Postgres {
    launch: Launch,
    port: u16,
    child: Child,
}

/// All that a start needs to know, kept for the next one.
struct Launch {
    binaries: Binaries,
    options: PostgresOptions,
    cluster: Cluster,
    user: Option<User>,
    log: PathBuf,
}

impl Postgres {
    /// Starts it on the port of the last run, or any free one; makes the cluster on first use.
    /// A server that an earlier run left on the same data is stopped first.
    ///
    /// # Errors
    /// When the data cannot be used or the server does not become ready.
    pub async fn start(binaries: Binaries, options: PostgresOptions, progress: Progress) -> Result<Self> {
        let step = progress.step(format!("Postgres {}", binaries.version()));
        let user = User::for_data(&options.dir.join(place::NAME))?;
        let cluster = Cluster::open(&binaries, &options, user.as_ref(), progress).await?;
        postmaster::stop_left_over(&cluster.data).await?;

        let log = options.dir.join("postgres.log");
        files::remove(&log)?;
        let memory = options.dir.join("postgres.port");
        let launch = Launch { binaries, options, cluster, user, log };
        let (port, child) = ports::on_a_free_port(&memory, |port| launch.start(port)).await?;
        step.done(format_args!("ready on 127.0.0.1:{port}"));
        Ok(Self { launch, port, child })
    }

    /// Gives the directory `to`, which has none, a copy of the cluster of `from`, which nobody runs.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub async fn copy(from: &Path, to: &Path) -> Result<()> {
        cluster::copy(from, to).await
    }

    /// How to connect as its superuser.
    #[must_use]
    pub fn url(&self) -> String {
        let Self { port, launch, .. } = self;
        format!("postgres://postgres:{}@127.0.0.1:{port}/postgres", launch.cluster.password)
    }

    /// Its port, the same after a restart.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process id while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.pid()
    }

    /// Waits for its end, which nobody expects. May be dropped and called again.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub async fn wait(&mut self) -> Result<ExitStatus> {
        self.child.wait().await
    }

    /// Kills it as a crash would.
    ///
    /// # Errors
    /// When the system cannot tell whether it ended.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.map(drop)
    }

    /// Stops it at once: sessions are cut off, nothing is written, and the next start recovers from the log.
    ///
    /// # Errors
    /// When the system cannot tell whether it ended.
    pub async fn stop_at_once(&mut self) -> Result<()> {
        self.child.stop(Signal::QUIT, STOP_DEADLINE).await.map(drop)
    }

    /// Starts it again on the same port with the same data; stops it first when it runs.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub async fn restart(&mut self) -> Result<()> {
        self.shut_down().await?;
        self.child = self.launch.start(self.port).await?;
        Ok(())
    }

    /// Ends its sessions and shuts it down.
    ///
    /// # Errors
    /// When the system cannot tell whether it ended.
    pub async fn stop(mut self) -> Result<()> {
        self.shut_down().await
    }

    async fn shut_down(&mut self) -> Result<()> {
        let signal = self.launch.shutdown_signal();
        self.child.stop(signal, STOP_DEADLINE).await.map(drop)
    }
}

impl Launch {
    /// After a crash its last sessions may hold the shared memory for a moment more.
    async fn start(&self, port: u16) -> Result<Child> {
        for _ in 0..100 {
            match self.start_once(port).await {
                Err(Error::NotReady { log, .. }) if log.contains("still in use") => {
                    sleep(Duration::from_millis(50)).await;
                }
                other => return other,
            }
        }
        self.start_once(port).await
    }

    async fn start_once(&self, port: u16) -> Result<Child> {
        let log = LogSince::now(&self.log);
        let program = self
            .binaries
            .program("postgres", self.user.clone())
            .arg("-D")
            .arg(&self.cluster.data)
            .args(self.settings(port).iter().flat_map(|setting| ["-c", setting]))
            .output(Output::File(self.log.clone()))
            .on_parent_death(self.shutdown_signal());
        let mut child = program.spawn().await?;
        let pid = child.pid();
        let says_so = || async move { postmaster::is_ready(&self.cluster.data, pid) };
        until_ready(&mut child, "Postgres", port, &log, says_so).await?;
        Ok(child)
    }

    fn settings(&self, port: u16) -> Vec<String> {
        let mut settings = vec![
            format!("port={port}"),
            format!("max_connections={}", self.options.max_connections),
            "listen_addresses=127.0.0.1".into(),
            "unix_socket_directories=".into(),
            // Short queries only: compiling them costs more than it gains, and needs LLVM.
            "jit=off".into(),
            "timezone=UTC".into(),
            "log_timezone=UTC".into(),
        ];
        if !self.options.durable {
            let hasty = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
            settings.extend(hasty.map(String::from));
        }
        settings
    }

    /// Fast shutdown; immediate where the data is not worth a checkpoint.
    fn shutdown_signal(&self) -> Signal {
        if self.options.durable { Signal::INT } else { Signal::QUIT }
    }
}

/// Deletes the cluster kept for `dir`, wherever it is; stops what an earlier run left on it.
pub(crate) async fn remove_data(dir: &Path) -> Result<()> {
    if let Ok(data) = dir.join(place::NAME).canonicalize() {
        postmaster::stop_left_over(&data).await?;
    }
    place::remove(dir)
}
