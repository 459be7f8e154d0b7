//! A migrated cluster of Postgres, made once for these migrations: every world starts from a copy of its files.

use std::{fs, path::Path};

use common::db::{self, RolePasswords};
use local::{Binaries, DataDir, Postgres, PostgresOptions, Progress};
use tokio::task::spawn_blocking;
use url::Url;

use super::world::PASSWORD;
use crate::services::{directory, fingerprint, lock_file};

/// Gives a world its data.
pub(super) async fn copy_to(world: &Path, binaries: &Binaries) {
    let _lock = spawn_blocking(|| {
        let lock = lock_file(&directory(), "verify.lock");
        lock.lock().unwrap();
        lock
    })
    .await
    .unwrap();
    let name = format!("verify-{}", fingerprint());
    let home = directory().join(&name);
    if !home.join("made").exists() {
        forget_others().await;
        make(&home, binaries).await;
    }
    Postgres::copy(&home, world).await.unwrap();
}

async fn make(home: &Path, binaries: &Binaries) {
    let held = DataDir::open(home).unwrap();
    // Durable, which makes its end a clean one: what is copied needs no recovery.
    let options = PostgresOptions { dir: held.path().to_owned(), durable: true, max_connections: 10 };
    let postgres = Postgres::start(binaries.clone(), options, Progress::quiet()).await.unwrap();
    let database = db::create_database(&Url::parse(&postgres.url()).unwrap(), "taskbell").await.unwrap();
    let passwords = RolePasswords { app: Some(PASSWORD.to_owned().into()), worker: Some(PASSWORD.to_owned().into()) };
    db::migrate(&database, &passwords).await.unwrap();
    postgres.stop().await.unwrap();
    fs::write(held.path().join("made"), "").unwrap();
}

/// Those of other migrations, and one that was left half made.
async fn forget_others() {
    for entry in fs::read_dir(directory()).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("verify-") {
            DataDir::reset(entry.path()).await.unwrap();
        }
    }
}
