//! The tests can fail: the product is broken on purpose, one way after the other, in a copy, and the test that each patch of
//! `tests/mutants` names must turn red there. The same tests are green in the same copy before.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use super::{Queue, World};

/// A way to break the product.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// Of its file.
    pub name: String,
    /// What it breaks.
    pub about: String,
    /// Tests that must find it: a target of the crate `tests`, and the test's path in it.
    pub caught_by: Vec<(String, String)>,
    patch: PathBuf,
}

/// What became of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Every test that it names is red.
    Caught,
    /// One of them is green.
    Survived,
    /// It could not be tried: the patch does not apply, or what it makes does not compile.
    Unfit,
}

/// All there are, by name; none: a patch says nothing of itself.
#[must_use]
pub fn all(checkout: &Path) -> Option<Vec<Mutant>> {
    let mut patches: Vec<PathBuf> =
        fs::read_dir(checkout.join("tests/mutants")).ok()?.flatten().map(|entry| entry.path()).collect();
    patches.retain(|path| path.extension().is_some_and(|extension| extension == "patch"));
    patches.sort();
    patches.into_iter().map(read).collect()
}

fn read(patch: PathBuf) -> Option<Mutant> {
    let text = fs::read_to_string(&patch).ok()?;
    let mut head = text.lines().take_while(|line| !line.is_empty());
    let about = head.next()?.to_owned();
    let caught_by: Vec<(String, String)> = head
        .filter_map(|line| line.strip_prefix("caught by: ")?.split_once(' '))
        .map(|(target, test)| (target.to_owned(), test.to_owned()))
        .collect();
    let name = patch.file_stem()?.to_str()?.to_owned();
    (!caught_by.is_empty()).then_some(Mutant { name, about, caught_by, patch })
}

/// A copy of the checkout, as git knows it, in which cargo works beside what it has built for the copy before.
pub struct Copy {
    tree: PathBuf,
    target: PathBuf,
    // Queries of a mutant are checked against a database: those of `.sqlx` are not its own.
    world: World,
}

impl Copy {
    /// Makes it.
    ///
    /// # Panics
    /// When git, tar or Postgres fails.
    pub async fn of(checkout: &Path) -> Self {
        let (tree, target) = (checkout.join("target/mutants/tree"), checkout.join("target/mutants/target"));
        if tree.exists() {
            fs::remove_dir_all(&tree).unwrap();
        }
        fs::create_dir_all(&tree).unwrap();
        let list = checkout.join("target/mutants/files");
        let listed =
            said(Command::new("git").arg("-C").arg(checkout).args(["ls-files", "-z", "-co", "--exclude-standard"]));
        let there = |name: &&[u8]| !name.is_empty() && checkout.join(String::from_utf8_lossy(name).as_ref()).exists();
        let names: Vec<&[u8]> = listed.stdout.split(|byte| *byte == 0).filter(there).collect();
        fs::write(&list, names.join(&0)).unwrap();
        // With the times of the files, by which cargo knows what has changed.
        let archive = checkout.join("target/mutants/files.tar");
        said(Command::new("tar").arg("-C").arg(checkout).args(["--null", "-T"]).arg(&list).arg("-cf").arg(&archive));
        said(Command::new("tar").arg("-C").arg(&tree).arg("-xf").arg(&archive));
        Self { tree, target, world: World::new(Queue::Absent).await }
    }

    /// Whether these tests are green here as it is.
    #[must_use]
    pub fn is_green(&self, mutants: &[Mutant]) -> bool {
        let tests = mutants.iter().flat_map(|mutant| &mutant.caught_by);
        tests.fold(true, |green, (target, test)| {
            let is = self.test(target, test) == Some(true);
            println!("unbroken: {target} {test}: {}", if is { "green" } else { "NOT GREEN" });
            green && is
        })
    }

    /// Breaks it, tests, and mends it.
    ///
    /// # Panics
    /// When `patch` cannot be run.
    #[must_use]
    pub fn fate(&self, mutant: &Mutant) -> Fate {
        if !self.patch(mutant, &[]) {
            return Fate::Unfit;
        }
        let verdicts: Vec<Option<bool>> =
            mutant.caught_by.iter().map(|(target, test)| self.test(target, test)).collect();
        assert!(self.patch(mutant, &["-R"]), "the copy is broken: {} cannot be taken back", mutant.name);
        match verdicts.iter().all(|verdict| *verdict == Some(false)) {
            true => Fate::Caught,
            false if verdicts.contains(&None) => Fate::Unfit,
            false => Fate::Survived,
        }
    }

    /// Leaves only what cargo has built.
    pub async fn end(self) {
        self.world.end().await;
        fs::remove_dir_all(self.tree).unwrap();
    }

    fn patch(&self, mutant: &Mutant, more: &[&str]) -> bool {
        let mut patch = Command::new("patch");
        patch
            .arg("-d")
            .arg(&self.tree)
            .args(["-p1", "-s", "-N", "-F2", "--no-backup-if-mismatch", "-i"])
            .arg(&mutant.patch);
        patch.args(more).status().unwrap().success()
    }

    /// Green or red; none when it did not come to a verdict.
    fn test(&self, target: &str, test: &str) -> Option<bool> {
        let run = Command::new("cargo")
            .current_dir(&self.tree)
            .args(["test", "-q", "-p", "tests", "--test", target, "--", "--exact", test])
            .env("CARGO_TARGET_DIR", &self.target)
            .env("SQLX_OFFLINE", "false")
            .env("DATABASE_URL", self.world.database_url().as_str())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&run.stdout);
        fs::write(self.target.join("last.log"), [&run.stdout[..], &run.stderr[..]].concat()).ok();
        match (run.status.success(), out.contains("1 passed"), out.contains("1 failed")) {
            (true, true, false) => Some(true),
            (false, _, true) => Some(false),
            _ => None,
        }
    }
}

fn said(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Tries those whose names are given, or all; whether each was caught.
///
/// # Panics
/// When a copy cannot be made.
pub async fn run(checkout: &Path, names: &[String]) -> bool {
    let mut mutants = all(checkout).expect("each patch says what it breaks and what finds it");
    mutants.retain(|mutant| names.is_empty() || names.contains(&mutant.name));
    let copy = Copy::of(checkout).await;
    let green = copy.is_green(&mutants);
    let mut well = green;
    for mutant in mutants.iter().filter(|_| green) {
        let fate = copy.fate(mutant);
        println!("{}: {fate:?}. {}", mutant.name, mutant.about);
        well &= fate == Fate::Caught;
    }
    copy.end().await;
    well
}
