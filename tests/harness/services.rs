//! The services of a test run. The first test that needs them starts a supervisor process; it ends when nobody has used
//! them for a while, since test binaries run one after another.

use std::{
    fs::{self, File, OpenOptions},
    hash::{DefaultHasher, Hash, Hasher},
    net::{TcpStream, ToSocketAddrs},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
    time::{Duration, Instant},
};

use common::db::{self, RolePasswords};
use serde::{Deserialize, Serialize};
use url::Url;

/// A first start may have to fetch packages.
const START: Duration = Duration::from_mins(4);

/// Where the services of this run are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shared {
    /// Postgres, as the role that migrates.
    pub database_url: Url,
    /// Redis.
    pub redis_url: Url,
    /// Of `taskbell_app`; none when the cluster is not ours.
    pub app_password: Option<String>,
    /// Of `taskbell_worker`; none when the cluster is not ours.
    pub worker_password: Option<String>,
}

/// The directory of the supervisor: one for each checkout.
#[must_use]
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.local/tests")
}

/// Where the supervisor tells what it has started.
#[must_use]
pub fn report(directory: &Path) -> PathBuf {
    directory.join("services.json")
}

/// A lock file of the supervisor's directory.
///
/// # Panics
/// When the file cannot be made.
#[must_use]
pub fn lock_file(directory: &Path, name: &str) -> File {
    fs::create_dir_all(directory).unwrap();
    OpenOptions::new().write(true).create(true).truncate(false).open(directory.join(name)).unwrap()
}

/// The services, for as long as this process lives. Not to be called for the first time where nothing may block.
#[must_use]
pub fn shared() -> &'static Shared {
    &USED.shared
}

/// The name of the migrated database that every test's own is copied from.
#[must_use]
pub fn template() -> &'static str {
    &USED.template
}

struct Used {
    shared: Shared,
    template: String,
    /// Says "in use"; the system gives it back when the process ends, however it ends.
    _users: File,
}

static USED: LazyLock<Used> = LazyLock::new(|| {
    let directory = directory();
    let users = lock_file(&directory, "users.lock");
    users.lock_shared().unwrap();
    let starting = lock_file(&directory, "start.lock");
    starting.lock().unwrap();
    let shared = running(&directory).unwrap_or_else(|| start(&directory));
    let template = migrated(&shared);
    Used { shared, template, _users: users }
});

/// The template of exactly these migrations, made by the first who asks: services outlive a test run by a few seconds, in
/// which somebody may have changed a migration.
fn migrated(shared: &Shared) -> String {
    let template = format!("taskbell_template_{}", fingerprint());
    let passwords = RolePasswords {
        app: shared.app_password.clone().map(Into::into),
        worker: shared.worker_password.clone().map(Into::into),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = db::create_database(&shared.database_url, &template).await.unwrap();
        db::migrate(&url, &passwords).await.unwrap();
    });
    template
}

/// Of all migrations, to the byte.
pub(crate) fn fingerprint() -> String {
    let mut fingerprint = DefaultHasher::new();
    db::MIGRATOR.iter().for_each(|migration| migration.checksum.hash(&mut fingerprint));
    format!("{:016x}", fingerprint.finish())
}

fn running(directory: &Path) -> Option<Shared> {
    let shared: Shared = serde_json::from_slice(&fs::read(report(directory)).ok()?).ok()?;
    let answers = |url: &Url| {
        let address = (url.host_str()?, url.port().unwrap_or(0)).to_socket_addrs().ok()?.next()?;
        TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()
    };
    answers(&shared.database_url).and(answers(&shared.redis_url)).map(|_| shared)
}

fn start(directory: &Path) -> Shared {
    // Test binaries lie in `deps`, one below; cargo has built the supervisor with them.
    let this = std::env::current_exe().unwrap();
    let binary = this.ancestors().map(|near| near.join("test-services")).find(|path| path.is_file());
    let binary = binary.expect("`cargo build -p tests --bins` makes test-services");
    let log = directory.join("supervisor.log");
    let _ = fs::remove_file(report(directory));
    let output = File::create(&log).unwrap();
    #[expect(clippy::zombie_processes, reason = "it outlives this process; its locks tell it when to end")]
    let mut supervisor = Command::new(&binary)
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .process_group(0)
        .spawn()
        .unwrap_or_else(|fault| panic!("{} cannot be started: {fault}", binary.display()));
    let begun = Instant::now();
    loop {
        if let Some(shared) = running(directory) {
            return shared;
        }
        let ended = supervisor.try_wait().unwrap().is_some();
        let said = || fs::read_to_string(&log).unwrap_or_default();
        assert!(!ended && begun.elapsed() < START, "the test services did not start:\n{}", said());
        std::thread::sleep(Duration::from_millis(20));
    }
}
