//! Apt with a state of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{Error, Program, Result};

/// How long package lists stay good: long enough for Redis right after Postgres, short enough not to
/// ask for packages that the archive has replaced.
const FRESH: Duration = Duration::from_hours(1);

/// Never taken from packages: they must be those of the loader that the host starts programs with.
const HOST_ONLY: [&str; 2] = ["libc6", "libc-bin"];

/// Which packages count as installed.
#[derive(Debug)]
pub(crate) struct Apt {
    status: PathBuf,
}

impl Default for Apt {
    fn default() -> Self {
        Self { status: "/var/lib/dpkg/status".into() }
    }
}

impl Apt {
    /// As on a machine where nothing is installed: every package is fetched.
    #[cfg(test)]
    pub(crate) fn on_an_empty_machine() -> Self {
        Self { status: "/dev/null".into() }
    }

    /// Makes the private state in `home`, and the lists in it when they are old or `stale`.
    pub(super) async fn update(&self, home: &Path, stale: bool) -> Result<()> {
        for directory in ["lists/partial", "archives/partial"] {
            let directory = home.join(directory);
            fs::create_dir_all(&directory).map_err(Error::file("create", &directory))?;
        }
        let config = home.join("apt.conf");
        fs::write(&config, self.config(home)).map_err(Error::file("write", &config))?;

        let stamp = home.join("lists.stamp");
        let age = fs::metadata(&stamp).and_then(|found| found.modified()).ok();
        let age = age.and_then(|written| written.elapsed().ok());
        if !stale && age.is_some_and(|age| age < FRESH) {
            return Ok(());
        }
        // A broken third-party source fails the update though the distribution's own lists came: what
        // counts is whether the packages can be had, which the next step finds out.
        let updated = apt_get(home).args(["-q", "update"]).run().await;
        let has_lists = fs::read_dir(home.join("lists"))
            .is_ok_and(|lists| lists.flatten().any(|list| list.file_name().to_string_lossy().contains("_Packages")));
        if !has_lists {
            updated?;
            let said = "it brought no package lists; is this machine online?".into();
            return Err(Error::Failed { program: "apt-get update".into(), status: "without an error".into(), said });
        }
        fs::write(&stamp, "").map_err(Error::file("write", &stamp))
    }

    /// The packages that `package` needs and this machine lacks, itself included.
    pub(super) async fn missing(&self, home: &Path, package: &str) -> Result<Vec<String>> {
        let plan = apt_get(home).args(["-s", "--no-install-recommends", "install", package]).run().await?;
        Ok(planned(&plan))
    }

    /// Downloads packages into a directory; apt checks them against the signed lists.
    pub(super) async fn download(&self, home: &Path, packages: &[String], into: &Path) -> Result<()> {
        let download = apt_get(home).args(["-q", "download"]).args(packages).current_dir(into);
        download.run().await.map(drop)
    }

    fn config(&self, home: &Path) -> String {
        let (home, status) = (home.display(), self.status.display());
        format!(
            r#"Dir::State::lists "{home}/lists";
Dir::State::status "{status}";
Dir::Cache "{home}";
Debug::NoLocking "1";
APT::Sandbox::User "root";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"#
        )
    }
}

/// `apt-get` with our configuration read after the system's, so that ours wins.
fn apt_get(home: &Path) -> Program {
    Program::new("apt-get", "/usr/bin/apt-get").arg("-c").arg(home.join("apt.conf")).env("LC_ALL", "C")
}

/// The names in the lines `Inst NAME …` of a simulated installation.
fn planned(plan: &str) -> Vec<String> {
    plan.lines()
        .filter_map(|line| line.strip_prefix("Inst ")?.split_whitespace().next())
        .filter(|name| !HOST_ONLY.contains(name))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_lists_what_the_host_lacks_but_never_its_c_library() {
        let plan = "Reading package lists...\n\
            Inst libc6 [2.36-9] (2.36-9+deb12u10 Debian:12 [amd64])\n\
            Inst liblzf1 (3.6-3 Debian:12.15/oldstable [amd64])\n\
            Inst redis-server (5:7.0.15 Debian-Security:12 [amd64])\n\
            Conf redis-server (5:7.0.15 Debian-Security:12 [amd64])\n";
        assert_eq!(planned(plan), ["liblzf1", "redis-server"]);
    }
}
