//! Finding the servers: installed, unpacked by an earlier run, or else fetched.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{Error, Program, Progress, Result, User, debian, version};

/// A server that Taskbell needs.
#[derive(Clone, Copy, Debug)]
struct Server {
    name: &'static str,
    program: &'static str,
    /// What must stand beside it.
    beside: &'static [&'static str],
    oldest: (u32, u32),
    package: &'static str,
}

const POSTGRES: Server =
    Server { name: "Postgres", program: "postgres", beside: &["initdb"], oldest: (15, 0), package: "postgresql" };

const REDIS: Server =
    Server { name: "Redis", program: "redis-server", beside: &[], oldest: (7, 0), package: "redis-server" };

/// Where distributions keep servers that they leave out of PATH; a `*` stands for a version.
const DIRECTORIES: [&str; 8] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/opt/homebrew/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
];

/// The programs of a server, known to run here.
#[derive(Clone, Debug)]
pub struct Binaries {
    directory: PathBuf,
    libraries: Vec<PathBuf>,
    version: String,
}

impl Binaries {
    /// Postgres 15 or newer.
    ///
    /// # Errors
    /// When there is none and none can be fetched; the error says what to type.
    pub async fn postgres(progress: Progress) -> Result<Self> {
        POSTGRES.find_or_fetch(progress).await
    }

    /// Redis 7 or newer: `BLMPOP` came with it.
    ///
    /// # Errors
    /// When there is none and none can be fetched; the error says what to type.
    pub async fn redis(progress: Progress) -> Result<Self> {
        REDIS.find_or_fetch(progress).await
    }

    /// The version, such as `15.18`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The first number of the version.
    pub(crate) fn major(&self) -> &str {
        self.version.split('.').next().unwrap_or_default()
    }

    /// One of the programs, ready to be given arguments.
    pub(crate) fn program(&self, name: &str, user: Option<User>) -> Program {
        program(name, &self.directory, &self.libraries).run_as(user)
    }
}

impl Server {
    async fn find_or_fetch(self, progress: Progress) -> Result<Binaries> {
        let user = User::unprivileged()?;
        for directory in self.candidates(&env_path()) {
            if let Some(found) = self.try_in(&directory, &[], user.as_ref()).await {
                return Ok(found);
            }
        }
        if !debian::is_here() {
            return Err(Error::Missing { what: self.wanted(), advice: advice() });
        }
        let cache = debian::Cache::of_this_user()?;
        if let Some(tree) = cache.tree(self.package)
            && let Some(found) = self.try_tree(&tree, user.as_ref()).await
        {
            return Ok(found);
        }
        self.fetch(&cache, &debian::Apt::default(), progress).await
    }

    /// Fetches the packages and finds the server among what they hold.
    async fn fetch(self, cache: &debian::Cache, apt: &debian::Apt, progress: Progress) -> Result<Binaries> {
        let failed = |why: String| Error::Fetch { what: self.wanted(), advice: advice(), why };
        progress.note(format_args!(
            "{} is not installed; fetching it from the distribution (unpacked into a cache, nothing is installed)",
            self.name
        ));
        let step = progress.step(format!("fetch {}", self.package));
        let tree = cache.fetch(self.package, apt, progress).await.map_err(|error| failed(error.to_string()))?;
        let user = User::unprivileged()?;
        let Some(found) = self.try_tree(&tree, user.as_ref()).await else {
            return Err(failed("what the packages hold does not run here".into()));
        };
        step.done(format_args!("{} {}", self.name, found.version));
        Ok(found)
    }

    async fn try_tree(self, tree: &Path, user: Option<&User>) -> Option<Binaries> {
        let libraries = debian::library_directories(tree);
        let mut directories = vec![tree.join("usr/bin"), tree.join("usr/sbin")];
        directories.extend(version::directories(&tree.join("usr/lib/postgresql/*/bin")));
        for directory in directories {
            if let Some(found) = self.try_in(&directory, &libraries, user).await {
                return Some(found);
            }
        }
        None
    }

    /// The server in this directory, when it is all there, runs, and is new enough.
    ///
    /// It is tried as the user that it will run as, who may not be able to reach all that root can.
    async fn try_in(self, directory: &Path, libraries: &[PathBuf], user: Option<&User>) -> Option<Binaries> {
        // What is on PATH may be a link: the other programs stand beside what it points to.
        let path = directory.join(self.program).canonicalize().ok()?;
        let directory = path.parent()?.to_owned();
        if !self.beside.iter().all(|name| directory.join(name).is_file()) {
            return None;
        }
        let asked = program(self.program, &directory, libraries).arg("--version");
        let said = asked.run_as(user.cloned()).run().await.ok()?;
        let version = version::said(&said)?;
        (version::numbers(&version) >= self.oldest).then(|| Binaries {
            directory,
            libraries: libraries.to_owned(),
            version,
        })
    }

    fn candidates(self, path: &[PathBuf]) -> Vec<PathBuf> {
        let known = DIRECTORIES.iter().flat_map(|pattern| version::directories(Path::new(pattern)));
        path.iter().cloned().chain(known).filter(|directory| directory.join(self.program).is_file()).collect()
    }

    fn wanted(self) -> String {
        format!("{} {}.{} or newer", self.name, self.oldest.0, self.oldest.1)
    }
}

/// How to get both servers by hand.
fn advice() -> &'static str {
    if cfg!(target_os = "macos") {
        "to install both servers, type: brew install postgresql@17 redis"
    } else if debian::is_here() {
        "to install both servers, type: sudo apt-get install -y postgresql redis-server"
    } else {
        "install PostgreSQL and Redis with this system's package manager"
    }
}

fn program(name: &str, directory: &Path, libraries: &[PathBuf]) -> Program {
    // A place that every user may be in, and messages in the one language that we look for.
    let program = Program::new(name, directory.join(name)).current_dir("/").env("LC_ALL", "C");
    match env::join_paths(libraries) {
        Ok(paths) if !libraries.is_empty() => program.env("LD_LIBRARY_PATH", paths),
        _ => program,
    }
}

fn env_path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;
    use crate::{Postgres, PostgresOptions};

    #[tokio::test]
    #[ignore = "fetches 40 MB from the distribution"]
    async fn all_of_postgres_can_be_fetched_and_makes_a_cluster() {
        let home = env::temp_dir().join(format!("taskbell-fetch-{}", std::process::id()));
        let cache = debian::Cache::at(home.join("cache"));
        let nothing_installed = debian::Apt::on_an_empty_machine();
        let progress = Progress::stdout();
        let fetched = POSTGRES.fetch(&cache, &nothing_installed, progress).await.unwrap();
        assert!(fetched.directory.starts_with(&home));

        let options = PostgresOptions { dir: home.clone(), durable: true, max_connections: 10 };
        let postgres = Postgres::start(fetched, options, progress).await.unwrap();
        postgres.stop().await.unwrap();
        fs::remove_dir_all(home).unwrap();
    }

    #[tokio::test]
    async fn a_link_on_the_path_leads_to_the_programs_beside_its_target() {
        let installed = Binaries::postgres(Progress::quiet()).await.unwrap();
        let links = env::temp_dir().join(format!("taskbell-links-{}", std::process::id()));
        fs::create_dir(&links).unwrap();
        symlink(installed.directory.join("postgres"), links.join("postgres")).unwrap();
        let found = POSTGRES.try_in(&links, &installed.libraries, None).await;
        fs::remove_dir_all(links).unwrap();
        assert_eq!(found.unwrap().directory, installed.directory);
    }
}
