//! The cache of unpacked packages, shared by every run of this user.

use std::{
    env,
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::Apt;
use crate::{Error, Program, Progress, Result, files::remove, user::is_root};

/// Where unpacked packages stay between runs.
#[derive(Debug)]
pub(crate) struct Cache {
    home: PathBuf,
}

impl Cache {
    /// The cache of whoever runs this.
    pub(crate) fn of_this_user() -> Result<Self> {
        Ok(Self::at(directory()?))
    }

    pub(crate) fn at(home: PathBuf) -> Self {
        Self { home }
    }

    /// What an earlier run unpacked of this package and its libraries.
    pub(crate) fn tree(&self, package: &str) -> Option<PathBuf> {
        let tree = self.place(package);
        tree.is_dir().then_some(tree)
    }

    /// Fetches and unpacks a package with the libraries that this machine lacks.
    pub(crate) async fn fetch(&self, package: &str, apt: &Apt, progress: Progress) -> Result<PathBuf> {
        let before = self.tree(package);
        let _lock = self.lock().await?;
        let tree = self.place(package);
        // Another run may have unpacked it while we waited; what we knew of before does not run.
        if before.is_none() && tree.is_dir() {
            return Ok(tree);
        }
        let home = self.home.join("apt");
        apt.update(&home, false).await?;
        let partial = tree.with_extension("partial");
        let fetched = fetch_into(&partial, &home, package, apt, progress).await;
        let fetched = match fetched {
            // The archive may have replaced a package since the lists were made.
            Err(Error::Failed { .. }) => {
                apt.update(&home, true).await?;
                fetch_into(&partial, &home, package, apt, progress).await
            }
            other => other,
        };
        if fetched.is_ok() {
            remove(&tree)?;
            fs::rename(partial.join("tree"), &tree).map_err(Error::file("create", &tree))?;
        }
        remove(&partial)?;
        fetched.map(|()| tree)
    }

    /// By release, since libraries of one do not run on another after the machine was upgraded.
    fn place(&self, package: &str) -> PathBuf {
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let name = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
        self.home.join(format!("{}-{}", name.unwrap_or("debian"), env::consts::ARCH)).join(package)
    }

    /// Waits until no other run is fetching.
    async fn lock(&self) -> Result<File> {
        let directory = self.place("");
        fs::create_dir_all(&directory).map_err(Error::file("create", &directory))?;
        if is_root() {
            // Whatever the umask: servers that root starts run as another user, who must get here.
            for directory in [&self.home, &directory] {
                readable_by_all(directory)?;
            }
        }
        let path = self.home.join("lock");
        let locked = tokio::task::spawn_blocking(move || {
            let file = File::create(&path).map_err(Error::file("create", &path))?;
            file.lock().map_err(Error::file("lock", &path))?;
            Ok(file)
        });
        locked.await.unwrap_or_else(|error| Err(Error::system("wait for the cache")(error.into())))
    }
}

async fn fetch_into(partial: &Path, home: &Path, package: &str, apt: &Apt, progress: Progress) -> Result<()> {
    let (archives, tree) = (partial.join("archives"), partial.join("tree"));
    remove(partial)?;
    for directory in [&archives, &tree] {
        fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
    }
    readable_by_all(&tree)?;

    let packages = apt.missing(home, package).await?;
    let others = packages.len().saturating_sub(1);
    progress.note(format_args!("fetching {package} and {others} other packages that this machine lacks"));
    apt.download(home, &packages, &archives).await?;
    for archive in fs::read_dir(&archives).map_err(Error::file("read", &archives))? {
        let archive = archive.map_err(Error::file("read", &archives))?.path();
        Program::new("dpkg-deb", "/usr/bin/dpkg-deb").arg("-x").arg(archive).arg(&tree).run().await?;
    }
    // An archive's root directory brings its own mode along.
    readable_by_all(&tree)
}

fn readable_by_all(directory: &Path) -> Result<()> {
    fs::set_permissions(directory, Permissions::from_mode(0o755)).map_err(Error::file("open up", directory))
}

fn directory() -> Result<PathBuf> {
    if is_root() {
        // Not below root's home, which the user that the servers run as may not enter.
        return Ok("/var/cache/taskbell".into());
    }
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map(|caches| caches.join("taskbell"))
        .ok_or_else(|| Error::System {
            doing: "find a cache directory, as neither XDG_CACHE_HOME nor HOME is set".into(),
            source: std::io::ErrorKind::NotFound.into(),
        })
}
