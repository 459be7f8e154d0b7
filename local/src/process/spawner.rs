//! Spawning so that a child ends when we do, even by `kill -9`.
//!
//! Linux can send a process a signal when its parent dies, which `setpriv --pdeathsig` arranges
//! without unsafe code. But for Linux the parent is the *thread* that spawned it. Threads of tests
//! and of the async runtime come and go, so one thread that lives as long as the process does all
//! the spawning.

use std::{
    io,
    path::Path,
    process::Command as StdCommand,
    sync::{LazyLock, mpsc},
    thread,
};

use rustix::process::Signal;
use tokio::{
    process::{Child, Command},
    runtime::Handle,
    sync::oneshot,
};

struct Request {
    command: Command,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

static SPAWNER: LazyLock<mpsc::Sender<Request>> = LazyLock::new(|| {
    let (requests, inbox) = mpsc::channel::<Request>();
    // When the thread cannot be made, `inbox` is dropped and every request is told so.
    let _ = thread::Builder::new().name("spawner".into()).spawn(move || {
        for Request { mut command, runtime, reply } in inbox {
            // The runtime of the caller is the one that learns of the child's end.
            let _entered = runtime.enter();
            let _ = reply.send(command.spawn());
        }
    });
    requests
});

/// Spawns on the thread that lives as long as the process.
pub(super) async fn spawn(command: Command) -> io::Result<Child> {
    let (reply, answer) = oneshot::channel();
    let request = Request { command, runtime: Handle::current(), reply };
    let gone = || io::Error::other("the spawning thread is not running");
    SPAWNER.send(request).map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?
}

/// A command for `program` that gets `signal` when we die. Where the system cannot do that (macOS),
/// a child outlives a `kill -9` of its parent, and the next run on the same data stops it.
pub(super) fn dying_with_us(program: &Path, signal: Signal) -> StdCommand {
    static SETPRIV: LazyLock<bool> = LazyLock::new(|| {
        let help = StdCommand::new("setpriv").arg("--help").output();
        help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--pdeathsig"))
    });
    if !*SETPRIV {
        return StdCommand::new(program);
    }
    let mut command = StdCommand::new("setpriv");
    command.arg("--pdeathsig").arg(name(signal)).arg("--").arg(program);
    command
}

/// The name that `setpriv` knows a signal by: it takes no numbers.
fn name(signal: Signal) -> &'static str {
    match signal {
        Signal::INT => "INT",
        Signal::QUIT => "QUIT",
        Signal::TERM => "TERM",
        // Whatever else was asked for, the child must not live on.
        _ => "KILL",
    }
}
