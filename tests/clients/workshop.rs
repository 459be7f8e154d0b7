//! Node, and the packages that `typescript/package-lock.json` pins. They are fetched once, and again when the lock has changed.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use harness::services::lock_file;
use tokio::{process::Command, time::timeout};
use uuid::Uuid;

/// What to type when there is no Node.
const ADVICE: &str = "linters and a generated client judge the API's description, and need Node 18.18 or later with npm: \
                      sudo apt-get install -y nodejs npm";

/// What the packages are made of.
const RECIPE: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// Longer than anything here takes, the first fetching of packages included.
const LONGEST: Duration = Duration::from_mins(5);

/// A directory of one test, with the files beside this one, and programs that work there. It is gone when this is dropped.
pub(crate) struct Workshop {
    place: PathBuf,
    programs: PathBuf,
}

impl Workshop {
    /// # Panics
    /// When there is no Node, saying what to type; when packages cannot be fetched.
    pub(crate) async fn open() -> Self {
        look_for_node().await;
        let packages = packages().await;
        // Below the packages, where Node looks for them.
        let place = packages.join(format!("test-{}", Uuid::now_v7().simple()));
        fs::create_dir(&place).unwrap();
        for file in fs::read_dir(sources()).unwrap().map(|entry| entry.unwrap().path()) {
            if file.is_file() {
                fs::copy(&file, place.join(file.file_name().unwrap())).unwrap();
            }
        }
        Self { place, programs: packages.join("node_modules/.bin") }
    }

    /// Puts a file there.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.place.join(name), text).unwrap();
    }

    /// Runs a program that must be content, and gives what it said.
    ///
    /// # Panics
    /// When it is not.
    pub(crate) async fn succeed(&self, program: &str, arguments: &[&str]) -> String {
        let (content, said) = self.run(program, arguments).await;
        assert!(content, "{program}: {said}");
        said
    }

    /// Runs a program of the packages, or `node`: whether it was content, and what it said.
    pub(crate) async fn run(&self, program: &str, arguments: &[&str]) -> (bool, String) {
        let own = self.programs.join(program);
        let mut command = Command::new(if own.exists() { own.as_path() } else { Path::new(program) });
        let output = said(command.args(arguments).current_dir(&self.place)).await;
        (output.status.success(), text(&output))
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.place);
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/typescript")
}

async fn look_for_node() {
    let version = text(&said(Command::new("node").arg("--version")).await);
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    assert!(major >= Some(18), "{ADVICE}; this is {version}");
}

/// The directory of the packages, which is called after what they are made of. Whoever comes first fetches them, the others wait;
/// it has its name only when it is complete.
async fn packages() -> PathBuf {
    let mut recipe = DefaultHasher::new();
    RECIPE.map(|file| fs::read(sources().join(file)).unwrap()).hash(&mut recipe);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let packages = target.join(format!("clients-{:016x}", recipe.finish()));
    let held = lock_file(target, "clients.lock");
    let held = tokio::task::spawn_blocking(move || held.lock().map(|()| held)).await.unwrap().unwrap();
    if !packages.is_dir() {
        let unfinished = target.join("clients-unfinished");
        let _ = fs::remove_dir_all(&unfinished);
        fs::create_dir_all(&unfinished).unwrap();
        for file in RECIPE {
            fs::copy(sources().join(file), unfinished.join(file)).unwrap();
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        let output = said(npm.current_dir(&unfinished)).await;
        assert!(output.status.success(), "`npm ci` did not get the packages:\n{}", text(&output));
        fs::rename(&unfinished, &packages).unwrap();
    }
    drop(held);
    packages
}

/// Runs a command that tells nobody of itself, and nobody of others.
async fn said(command: &mut Command) -> Output {
    let quiet = [("REDOCLY_TELEMETRY", "off"), ("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true"), ("NO_UPDATE_NOTIFIER", "1")];
    let running = command.envs(quiet).stdin(Stdio::null()).kill_on_drop(true).output();
    timeout(LONGEST, running).await.expect("it does not end").unwrap_or_else(|fault| panic!("{ADVICE} ({fault})"))
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
