//! What the tests of the servers need.

pub(crate) mod parent;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
};

use local::{DataDir, Options, Progress};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A directory of one test, deleted after it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("taskbell-test-{name}-{}", process::id()));
        DataDir::open(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    pub(crate) fn options(&self) -> Options {
        Self::options_in(self.0.clone())
    }

    pub(crate) fn options_in(data: PathBuf) -> Options {
        Options {
            data,
            durable: false,
            max_connections: 20,
            database_url: None,
            redis_url: None,
            progress: Progress::quiet(),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether anything listens there.
pub(crate) async fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).await.is_ok()
}

/// Whether a process has ended. One that nobody waited for yet (`Z`) has.
pub(crate) fn gone(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.map_or(true, |stat| stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")))
}

fn address(url: &str) -> &str {
    url.rsplit('@').next().unwrap().split('/').next().unwrap()
}

/// Signs in to Redis and returns the first line of the answer to a command.
pub(crate) async fn ask_redis(url: &str, command: &str) -> io::Result<String> {
    let password = url.split(['@', ':']).nth(2).unwrap();
    let mut stream = TcpStream::connect(address(url)).await?;
    stream.write_all(format!("AUTH {password}\r\n{command}\r\n").as_bytes()).await?;
    let mut answer = String::new();
    while answer.lines().count() < 2 {
        let mut buffer = [0; 1024];
        let length = stream.read(&mut buffer).await?;
        answer.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    Ok(answer.lines().nth(1).unwrap().to_owned())
}

/// Opens a session with Postgres as far as it goes without a password: that it asks for one, by
/// SCRAM, shows that it takes connections and lets nobody in for nothing.
pub(crate) async fn sign_in(url: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect(address(url)).await?;
    let body = b"\0\x03\0\0user\0postgres\0database\0postgres\0\0";
    stream.write_all(&u32::try_from(body.len() + 4).unwrap().to_be_bytes()).await?;
    stream.write_all(body).await?;
    let mut answer = [0; 9];
    stream.read_exact(&mut answer).await?;
    match (answer[0], answer[8]) {
        (b'R', 10) => Ok(()),
        _ => Err(io::Error::other(format!("Postgres answers {answer:?}"))),
    }
}
