//! The process behind `harness::services`: starts Postgres and Redis, migrates a template database, and stays until nobody
//! has used them for a while.

use std::{
    error::Error,
    fs::{self, File},
    time::{Duration, Instant},
};

use common::{
    db::{self, RolePasswords},
    secrets::Token,
};
use harness::services::{Shared, directory, lock_file, report};
use local::{DataDir, Options, Progress, Services};
use tokio::time::sleep;
use url::Url;

/// As long as the next test binary may take to begin.
const IDLE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let directory = directory();
    let data = directory.join("data");
    DataDir::reset(&data).await?;
    let services = Services::start(Options {
        data: data.clone(),
        durable: false,
        max_connections: 400,
        database_url: variable("TASKBELL_DATABASE_URL"),
        redis_url: variable("TASKBELL_REDIS_URL"),
        progress: Progress::stdout(),
    })
    .await?;
    let shared = migrate(&services).await?;
    let finished = report(&directory);
    let unfinished = finished.with_extension("tmp");
    fs::write(&unfinished, serde_json::to_vec(&shared)?)?;
    fs::rename(unfinished, &finished)?;

    let users = lock_file(&directory, "users.lock");
    let starting = lock_file(&directory, "start.lock");
    wait_until_unused(&users, &starting).await?;
    fs::remove_file(finished)?;
    services.stop().await?;
    DataDir::reset(&data).await?;
    Ok(())
}

async fn migrate(services: &Services) -> Result<Shared, Box<dyn Error + Send + Sync>> {
    let admin = Url::parse(&services.database_url)?;
    let ours = variable("TASKBELL_DATABASE_URL").is_none();
    let password = || Token::random().map(|token| ours.then(|| token.reveal()));
    let (app_password, worker_password) = (password()?, password()?);
    // A cluster that is not ours may hold the template of other migrations.
    let template = format!("taskbell_template_{}", std::process::id());
    let passwords =
        RolePasswords { app: app_password.clone().map(Into::into), worker: worker_password.clone().map(Into::into) };
    db::migrate(&db::create_database(&admin, &template).await?, &passwords).await?;
    Ok(Shared {
        database_url: admin,
        redis_url: Url::parse(&services.redis_url)?,
        template,
        app_password,
        worker_password,
    })
}

/// Returns while holding both locks, so that nobody begins to use what is about to stop.
async fn wait_until_unused(users: &File, starting: &File) -> Result<(), std::io::Error> {
    let mut unused = Instant::now();
    loop {
        sleep(Duration::from_millis(200)).await;
        if users.try_lock().is_ok() {
            if unused.elapsed() > IDLE && starting.try_lock().is_ok() {
                return Ok(());
            }
            users.unlock()?;
        } else {
            unused = Instant::now();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is an edge")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
