//! The `DevTools` protocol over a pair of pipes: no port that others could reach or take, and Chromium ends when the pipes
//! do, however this process ends.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{ChildStdin, ChildStdout},
    time::timeout,
};

use crate::PATIENCE;

/// A browser listens at its descriptor 3 and speaks at 4; the shell puts our pipes there.
const PIPES: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#;

pub(super) struct Wire {
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    sent: u64,
    session: Option<String>,
    /// Everything that the page has reported so far.
    events: Vec<Value>,
}

impl Wire {
    /// Starts `program` with our pipes.
    pub(super) fn start(program: &Path, options: &[String]) -> (Child, Self) {
        let mut command = Command::new("sh");
        command.args(["-c", PIPES]).arg(program).args(options);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let to = ChildStdin::from_std(child.stdin.take().unwrap()).unwrap();
        let from = ChildStdout::from_std(child.stdout.take().unwrap()).unwrap();
        (child, Self { to, from: BufReader::new(from), sent: 0, session: None, events: Vec::new() })
    }

    /// Sends all further commands to the page of this session.
    pub(super) fn enter(&mut self, session: &str) {
        self.session = Some(session.to_owned());
    }

    /// Sends a command and waits for its result.
    pub(super) async fn call(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        let id = self.sent;
        let mut command = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).await.expect("the browser has ended");
        self.to.flush().await.unwrap();
        loop {
            let mut message = self.next(method).await;
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method} {params}: {}", message["error"]);
                return message["result"].take();
            }
            self.events.push(message);
        }
    }

    /// The first event from number `since` on of which `fits` makes something; waits for it when it is still to come.
    pub(super) async fn event<T>(&mut self, since: usize, what: &str, fits: impl Fn(&Value, &Value) -> Option<T>) -> T {
        let mut looked = since;
        loop {
            while let Some(event) = self.events.get(looked) {
                if let Some(found) = fits(&event["method"], &event["params"]) {
                    return found;
                }
                looked += 1;
            }
            let message = self.next(what).await;
            self.events.push(message);
        }
    }

    pub(super) fn events(&self) -> &[Value] {
        &self.events
    }

    async fn next(&mut self, what: &str) -> Value {
        let mut message = Vec::new();
        let read = timeout(PATIENCE, self.from.read_until(0, &mut message)).await;
        let read = read.unwrap_or_else(|_| panic!("the browser does not answer: {what}")).unwrap();
        assert!(read > 0 && message.pop() == Some(0), "the browser has ended: {what}");
        serde_json::from_slice(&message).unwrap()
    }
}
