//! `queries write` renews `.sqlx`, the record by which queries are checked without a database; `queries check` compares it
//! with what a freshly migrated database says.

use std::{
    collections::BTreeMap,
    error::Error,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::SystemTime,
};

use harness::services::{shared, template};

type Record = BTreeMap<String, String>;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let committed = root.join(".sqlx");
    let fresh = root.join("target/sqlx-fresh");
    ask_the_database(&root, &fresh)?;
    let (old, new) = (read(&committed)?, read(&fresh)?);
    let write = std::env::args().nth(1).as_deref() == Some("write");
    if write {
        fs::remove_dir_all(&committed).or_else(|fault| if committed.exists() { Err(fault) } else { Ok(()) })?;
        fs::rename(&fresh, &committed)?;
        println!("{} queries written", new.len());
    } else if old == new {
        println!("{} queries are up to date", new.len());
    } else {
        println!(".sqlx is not what the database says; renew it with `queries write`");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Compiles the queries against the template database; the macros write what it says about each.
fn ask_the_database(root: &Path, fresh: &Path) -> Result<(), Box<dyn Error>> {
    let mut database = shared().database_url.clone();
    database.set_path(template());
    if fresh.exists() {
        fs::remove_dir_all(fresh)?;
    }
    fs::create_dir_all(fresh)?;
    // Cargo does not see that the database is an input: the file's time tells it to compile again.
    File::options().append(true).open(root.join("common/src/lib.rs"))?.set_modified(now())?;
    // The whole workspace, so that features unify as in every other build and no dependency is compiled again.
    let status = Command::new("cargo")
        .args(["check", "--locked", "--workspace"])
        .current_dir(root)
        .env("SQLX_OFFLINE", "false")
        .env("DATABASE_URL", database.as_str())
        .env("SQLX_OFFLINE_DIR", fresh)
        .status()?;
    if status.success() { Ok(()) } else { Err("the queries do not fit the schema".into()) }
}

fn read(directory: &PathBuf) -> Result<Record, Box<dyn Error>> {
    let mut record = Record::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        record.insert(entry.file_name().to_string_lossy().into_owned(), fs::read_to_string(entry.path())?);
    }
    Ok(record)
}

#[expect(clippy::disallowed_methods, reason = "a file's time is the wall's")]
fn now() -> SystemTime {
    SystemTime::now()
}
