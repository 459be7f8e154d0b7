//! What judges from Python, in the versions that are pinned here, each in an environment of its own under `target`.

use std::{
    env::consts::EXE_SUFFIX,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use harness::services;
use url::Url;

use crate::furnish::House;

/// What to type when there is no Python.
const ADVICE: &str = "this needs Python 3.10 or later with venv: sudo apt-get install -y python3-venv";

/// What became of a run.
pub(crate) struct Run {
    pub(crate) found_nothing: bool,
    /// What it printed.
    pub(crate) said: String,
    /// Its events, one of JSON a line.
    pub(crate) report: PathBuf,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The program; fetches it when it is not there in this version.
pub(crate) fn program() -> PathBuf {
    environment("schemathesis", "requirements.txt")
        .join("bin/schemathesis")
        .with_extension(EXE_SUFFIX.trim_start_matches('.'))
}

/// An environment of Python with what a file pins, under `target`: made when it is not there, or with other versions.
pub(crate) fn environment(name: &str, pinned: &str) -> PathBuf {
    let home = root().join("target").join(name);
    let pinned = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance").join(pinned);
    let installed = home.join("requirements.txt");
    let wanted = fs::read(&pinned).unwrap();
    // One at a time: whoever comes second finds it made.
    let turn = fs::File::create(home.with_extension("lock")).unwrap();
    turn.lock().unwrap();
    if fs::read(&installed).is_ok_and(|known| known == wanted) {
        return home;
    }
    let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home).output();
    let made = made.unwrap_or_else(|fault| panic!("{ADVICE} ({fault})"));
    assert!(made.status.success(), "{ADVICE} ({})", String::from_utf8_lossy(&made.stdout));
    let pip = Command::new(home.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"])
        .arg(&pinned)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&pip.stderr);
    assert!(pip.status.success(), "pip could not fetch what {} names: {said}", pinned.display());
    fs::write(&installed, wanted).unwrap();
    home
}

/// Runs it over all operations, with all checks, in these phases.
pub(crate) async fn run(program: &Path, description: &Url, house: &House, phases: &str, seed: u64, cases: u32) -> Run {
    let place = services::directory().join(format!("schemathesis-{phases}-{seed}"));
    fs::create_dir_all(&place).unwrap();
    let report = place.join("events.ndjson");
    let tokens = |name: &str, tokens: &[String]| {
        let path = place.join(name);
        fs::write(&path, tokens.join("\n")).unwrap();
        path
    };
    let mut command = tokio::process::Command::new(fs::canonicalize(program).unwrap());
    command
        .current_dir(root())
        .env("TASKBELL_TOKENS", tokens("tokens", std::slice::from_ref(&house.lasting)))
        .env("TASKBELL_ENDING_TOKENS", tokens("ending", &house.ending))
        .env("TASKBELL_ORG", &house.org)
        .env("TASKBELL_THINGS", house.things.to_string())
        // Nothing is left in the checkout.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // One worker: in which order several ask no seed says, and threads of Python before 3.11.8 parse one at a time (gh-106905).
        .args([
            "run",
            description.as_str(),
            "--checks",
            "all",
            "--workers",
            "1",
            "--request-timeout",
            "30",
            "--no-color",
            // What is printed can be sent again: these tokens are nobody's.
            "--output-sanitize",
            "false",
        ])
        .args(["--phases", phases, "--generation-database", "none", "--report", "ndjson"])
        .args(["--seed", &seed.to_string(), "--max-examples", &cases.to_string()])
        .arg("--report-ndjson-path")
        .arg(&report)
        .kill_on_drop(true);
    let output = command.output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    Run { found_nothing: output.status.success(), said: String::from_utf8_lossy(&said).into_owned(), report }
}
