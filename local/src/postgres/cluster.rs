//! The data of a private Postgres: made once, used from run to run.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{PostgresOptions, place};
use crate::{Binaries, Error, Program, Progress, Result, User, files::remove, password};

/// The name of the file that keeps the superuser's.
const PASSWORD: &str = "postgres.password";

/// A cluster that exists, and how to enter it.
pub(super) struct Cluster {
    pub(super) data: PathBuf,
    pub(super) password: String,
}

impl Cluster {
    /// Finds the cluster of an earlier run, or makes one.
    pub(super) async fn open(
        binaries: &Binaries,
        options: &PostgresOptions,
        user: Option<&User>,
        progress: Progress,
    ) -> Result<Self> {
        let password_file = options.dir.join(PASSWORD);
        let data = place::choose(&options.dir, user, progress)?;
        if data.exists() {
            check(&data, binaries, &password_file)?;
            let password = password::keep(&password_file)?;
            return Ok(Self { data, password });
        }
        let password = password::keep(&password_file)?;
        let cluster = Self { data, password };
        cluster.create(binaries, options, user).await?;
        Ok(cluster)
    }

    /// Made beside its place and then moved, so that a start cut short leaves no half a cluster.
    async fn create(&self, binaries: &Binaries, options: &PostgresOptions, user: Option<&User>) -> Result<()> {
        let partial = self.data.with_extension("partial");
        let password_file = self.data.with_extension("password-for-initdb");
        remove(&partial)?;
        fs::create_dir(&partial).map_err(Error::file("create", &partial))?;
        fs::set_permissions(&partial, fs::Permissions::from_mode(0o700)).map_err(Error::file("close", &partial))?;
        password::write_private(&password_file, &self.password)?;
        if let Some(user) = user {
            user.give(&partial)?;
            user.give(&password_file)?;
        }
        let made = binaries
            .program("initdb", user.cloned())
            .args(["--locale=C", "--encoding=UTF8", "--auth=scram-sha-256", "--username=postgres"])
            .arg("--no-instructions")
            .args((!options.durable).then_some("--no-sync"))
            .arg("--pwfile")
            .arg(&password_file)
            .arg("-D")
            .arg(&partial)
            .run()
            .await;
        remove(&password_file)?;
        made?;
        fs::rename(&partial, &self.data).map_err(Error::file("create", &self.data))
    }
}

/// Copies a cluster that is not running, with its owner and its password.
pub(super) async fn copy(from: &Path, to: &Path) -> Result<()> {
    let user = User::for_data(&from.join(place::NAME))?;
    let data = place::choose(to, user.as_ref(), Progress::quiet())?;
    let (partial, source) = (data.with_extension("partial"), from.join(place::NAME));
    let source = source.canonicalize().map_err(Error::file("resolve", &source))?;
    remove(&partial)?;
    // Files of another user, closed to everybody else: they stay so.
    Program::new("cp", "cp").arg("-a").arg(source).arg(&partial).run().await?;
    let (kept, copy) = (from.join(PASSWORD), to.join(PASSWORD));
    fs::copy(&kept, &copy).map_err(Error::file("copy", &kept))?;
    fs::rename(&partial, &data).map_err(Error::file("create", &data))
}

fn check(data: &Path, binaries: &Binaries, password_file: &Path) -> Result<()> {
    let unusable = |why| Err(Error::Unusable { path: data.to_owned(), why });
    let version = data.join("PG_VERSION");
    let made_by = fs::read_to_string(&version).map_err(Error::file("read", &version))?;
    let made_by = made_by.trim();
    if made_by != binaries.major() {
        return unusable(format!("Postgres {made_by} made it and this is Postgres {}", binaries.version()));
    }
    if !password_file.exists() {
        return unusable(format!("its password, kept in {}, is gone", password_file.display()));
    }
    Ok(())
}
