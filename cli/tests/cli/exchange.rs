//! `taskbell export` and `taskbell import`, against a whole stack.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use crate::process::{Directory, Running, signal, taskbell};

/// A client of the stack as the demo's owner.
pub(crate) struct Owner {
    api: String,
    token: String,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Owner {
    pub(crate) fn of(said: &str) -> Self {
        let after = |mark: &str| said.rsplit(mark).next().unwrap().split_whitespace().next().unwrap().to_owned();
        let api = after("  API").trim_end_matches("v1").to_owned();
        let password = after("with the password").trim_end_matches(':').to_owned();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut owner = Self { api, token: String::new(), http: reqwest::Client::new(), runtime };
        let sign_in = json!({ "email": "owner@example.org", "password": password });
        owner.post("v1/sessions", &sign_in)["token"].as_str().unwrap().clone_into(&mut owner.token);
        owner
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.answer(self.http.post(format!("{}{path}", self.api)).json(body))
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.answer(self.http.get(format!("{}{path}", self.api)))
    }

    fn answer(&self, request: reqwest::RequestBuilder) -> Value {
        self.runtime.block_on(async {
            let request = if self.token.is_empty() { request } else { request.bearer_auth(&self.token) };
            let answer = request.send().await.unwrap();
            assert!(answer.status().is_success(), "{answer:?}");
            answer.json().await.unwrap()
        })
    }

    /// The API's own process: its base URL stands in its environment.
    fn process(&self) -> u32 {
        let processes =
            fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
        let is_it = |process: &u32| {
            let read = |what: &str| fs::read_to_string(format!("/proc/{process}/{what}")).unwrap_or_default();
            read("cmdline").ends_with("\0api\0") && read("environ").contains(&format!("TASKBELL_BASE_URL={}", self.api))
        };
        processes.into_iter().find(is_it).unwrap()
    }

    fn wait_until_ready(&self) {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        let ready = || async {
            self.http.get(format!("{}readyz", self.api)).send().await.is_ok_and(|answer| answer.status().is_success())
        };
        while !self.runtime.block_on(ready()) {
            assert!(std::time::Instant::now() < deadline, "the API does not come back");
        }
    }

    /// The binary against the stack: whether it went well, what it wrote, what it said.
    fn run(&self, place: &Path, org: &str, arguments: &[&str]) -> (bool, Vec<u8>, String) {
        let output = self.command(place, org, arguments).output().unwrap();
        (output.status.success(), output.stdout, String::from_utf8(output.stderr).unwrap())
    }

    fn command(&self, place: &Path, org: &str, arguments: &[&str]) -> Command {
        let token = place.join("token");
        fs::write(&token, format!("{}\n", self.token)).unwrap();
        let mut command = taskbell(&arguments[..1]);
        command.args(["--url", &self.api, "--token-file", token.to_str().unwrap(), "--org", org]).args(&arguments[1..]);
        command
    }
}

#[test]
fn an_organization_goes_from_one_place_to_another_by_the_command_line() {
    let directory = Directory::new("exchange");
    let mut up = Running::start(&mut taskbell(&["up", "--data", directory.0.to_str().unwrap()]));
    up.until("Sign-ins of the demo");
    let owner = Owner::of(&up.said);
    let place = directory.0.join("exchanged");
    fs::create_dir_all(&place).unwrap();
    let from = owner.get("v1/orgs")["data"][0]["slug"].as_str().unwrap().to_owned();
    let _ = owner.post("v1/orgs", &json!({ "slug": "the-other", "name": "Other" }));

    let (well, lines, said) = owner.run(&place, &from, &["export"]);
    assert!(well && said.contains("4 members"), "{said}");
    let (file, cut) = (place.join("export.jsonl"), place.join("cut.jsonl"));
    fs::write(&file, &lines).unwrap();
    fs::write(&cut, &lines[..lines.len() / 2]).unwrap();
    let file = file.to_str().unwrap();
    let (well, _, said) = owner.run(&place, "the-other", &["import", cut.to_str().unwrap()]);
    assert!(!well && said.contains("was cut off"), "{said}");
    let (well, _, said) = owner.run(&place, "the-other", &["import", file]);
    assert!(!well && said.contains("/lines/") && said.contains("not the address of an active member"), "{said}");
    let (well, _, said) = owner.run(&place, "the-other", &["import", "--skip-unknown-people", "--dry-run", file]);
    assert!(well && said.contains("nothing was"), "{said}");
    assert_eq!(owner.get("v1/orgs/the-other/projects")["data"], json!([]));
    let (well, _, said) = owner.run(&place, "the-other", &["import", "--skip-unknown-people", file]);
    assert!(well && said.contains("taken in"), "{said}");
    let (well, table, said) = owner.run(&place, "the-other", &["export", "--tasks"]);
    assert!(well && table.starts_with(b"key,title,"), "{said}");

    // An API that dies in the middle of an import has taken in nothing.
    let project = owner.get("v1/orgs/the-other/projects")["data"][0]["id"].as_str().unwrap().to_owned();
    let before = owner.get(&format!("v1/orgs/the-other/tasks?project={project}"))["data"].as_array().unwrap().len();
    let many = place.join("many.csv");
    fs::write(&many, format!("title\n{}", "One of very many\n".repeat(60_000))).unwrap();
    let mut import = owner.command(&place, "the-other", &["import", "--project", &project, many.to_str().unwrap()]);
    let mut import = import.spawn().unwrap();
    let api = owner.process();
    let spooled = || {
        fs::read_dir(format!("/proc/{api}/fd"))
            .unwrap()
            .filter_map(Result::ok)
            .any(|file| fs::read_link(file.path()).is_ok_and(|to| to.to_string_lossy().contains("(deleted)")))
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !spooled() {
        assert!(std::time::Instant::now() < deadline && import.try_wait().unwrap().is_none(), "it is not taken in");
        std::thread::yield_now();
    }
    signal("KILL", api);
    assert!(!import.wait().unwrap().success());
    up.until("api died");
    owner.wait_until_ready();
    let after = owner.get(&format!("v1/orgs/the-other/tasks?project={project}"))["data"].as_array().unwrap().len();
    assert_eq!(before, after);
    signal("INT", up.id());
    assert!(up.read_to_end().success(), "{}", up.said);
}
