//! A process of its own that starts the servers, to be killed.

use std::{env, process::Stdio};

use local::Services;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::Scratch;

/// Tells this test program that it is the parent, and where its data is.
const DATA: &str = "TASKBELL_TEST_PARENT_DATA";

/// A parent that runs, and the process ids of the servers that it started.
pub(crate) struct Family {
    process: Child,
    pub(crate) children: Vec<u32>,
}

impl Family {
    pub(crate) async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }
}

/// Runs this test program again as the parent and waits for its servers.
pub(crate) async fn start(scratch: &Scratch) -> Family {
    let mut process = Command::new(env::current_exe().unwrap())
        .args(["--exact", "plays_the_parent", "--nocapture"])
        .env(DATA, scratch.path())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some((_, pids)) = line.split_once("servers: ") {
            let children = pids.split(' ').map(|pid| pid.parse().unwrap()).collect();
            return Family { process, children };
        }
    }
    panic!("the parent ended without starting its servers");
}

/// The parent's part.
pub(crate) async fn play() {
    let Some(data) = env::var_os(DATA) else {
        return;
    };
    // A thread that ends after spawning: the servers must not end with it.
    let starting = std::thread::spawn(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let options = Scratch::options_in(data.into());
        let mut services = runtime.block_on(Services::start(options)).unwrap();
        let pids = [services.postgres().unwrap().pid(), services.redis().unwrap().pid()];
        (runtime, services, pids.map(Option::unwrap))
    });
    let (_runtime, _services, [postgres, redis]) = starting.join().unwrap();
    println!("\nservers: {postgres} {redis}");
    std::future::pending::<()>().await;
}
