//! A private Redis: memory only, on 127.0.0.1 only, with a password.

use std::{
    fs::{self, File},
    io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

use crate::{
    Binaries, Child, Error, Output, Progress, Result, Signal, User, files, password, ports,
    process::{LogSince, until_ready},
};

/// How long it may take to end; it has nothing to save.
const STOP_DEADLINE: Duration = Duration::from_secs(5);

/// How long one question to it may take.
const ANSWER_DEADLINE: Duration = Duration::from_secs(1);

/// A running private Redis. Dropped, it is killed.
///
/// It keeps nothing on disk: Taskbell's truth is in Postgres, and the queue is filled again from it.
pub struct Redis {
    launch: Launch,
    port: u16,
    child: Child,
}

/// All that a start needs to know, kept for the next one.
struct Launch {
    binaries: Binaries,
    user: Option<User>,
    password: String,
    dir: PathBuf,
}

impl Redis {
    /// Starts it on the port of the last run, or any free one; `dir` keeps its password, its port
    /// and its log.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn start(binaries: Binaries, dir: &Path, progress: Progress) -> Result<Self> {
        let step = progress.step(format!("Redis {}", binaries.version()));
        let password_file = dir.join("redis.password");
        let mut launch = Launch {
            binaries,
            user: User::unprivileged()?,
            password: password::keep(&password_file)?,
            dir: dir.to_owned(),
        };
        let memory = dir.join("redis.port");
        launch.stop_left_over(&memory).await;
        // Whoever has the port by now was just told the old password.
        launch.password = password::renew(&password_file)?;
        files::remove(&launch.log())?;
        let (port, child) = ports::on_a_free_port(&memory, |port| launch.start(port)).await?;
        step.done(format_args!("ready on 127.0.0.1:{port}"));
        Ok(Self { launch, port, child })
    }

    /// How to connect.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://default:{}@127.0.0.1:{}/", self.launch.password, self.port)
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

    /// Kills it as a crash would; what it held is lost.
    ///
    /// # Errors
    /// When the system cannot tell whether it ended.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.map(drop)
    }

    /// Sends it a signal: stopped by `STOP`, it takes connections and answers nothing, until `CONT`.
    pub fn signal(&self, signal: Signal) {
        self.child.signal(signal);
    }

    /// Starts it again, empty, on the same port; stops it first when it runs.
    ///
    /// # Errors
    /// As [`Redis::start`].
    pub async fn restart(&mut self) -> Result<()> {
        self.child.stop(Signal::TERM, STOP_DEADLINE).await?;
        self.child = self.launch.start(self.port).await?;
        Ok(())
    }

    /// Stops it.
    ///
    /// # Errors
    /// When the system cannot tell whether it ended.
    pub async fn stop(mut self) -> Result<()> {
        self.child.stop(Signal::TERM, STOP_DEADLINE).await.map(drop)
    }
}

impl Launch {
    async fn start(&self, port: u16) -> Result<Child> {
        let config = self.dir.join("redis.conf");
        password::write_private(&config, &self.config(port))?;
        // Opened by us and read from standard input: the password shows in no list of processes,
        // and the file's own directory may be closed to the user that Redis runs as.
        let config = File::open(&config).map_err(Error::file("open", &config))?;
        let log = LogSince::now(&self.log());
        let program = self
            .binaries
            .program("redis-server", self.user.clone())
            .arg("-")
            .stdin(config)
            .output(Output::File(self.log()));
        let mut child = program.spawn().await?;
        let answers = || async { self.ask(port, "PING").await.is_ok_and(|answer| answer == "+PONG") };
        until_ready(&mut child, "Redis", port, &log, answers).await?;
        Ok(child)
    }

    fn config(&self, port: u16) -> String {
        let password = &self.password;
        format!(
            "bind 127.0.0.1\nport {port}\nrequirepass {password}\ndaemonize no\n\
             save \"\"\nappendonly no\nmaxmemory-policy noeviction\n"
        )
    }

    fn log(&self) -> PathBuf {
        self.dir.join("redis.log")
    }

    /// Where children cannot be made to die with their parent, one may be left on the last port.
    /// That it knows our password proves that it is ours.
    async fn stop_left_over(&self, memory: &Path) {
        let port = fs::read_to_string(memory).ok().and_then(|port| port.trim().parse().ok());
        if let Some(port) = port {
            // No answer is the usual case, and also how a server that shuts down answers.
            let _ = self.ask(port, "SHUTDOWN NOSAVE").await;
        }
    }

    /// Signs in, gives one command, and returns the first line of its answer.
    async fn ask(&self, port: u16, command: &str) -> io::Result<String> {
        let conversation = async {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
            let question = format!("AUTH {}\r\n{command}\r\n", self.password);
            stream.write_all(question.as_bytes()).await?;
            let mut lines = BufReader::new(stream).lines();
            lines.next_line().await?;
            Ok(lines.next_line().await?.unwrap_or_default())
        };
        timeout(ANSWER_DEADLINE, conversation).await?
    }
}
