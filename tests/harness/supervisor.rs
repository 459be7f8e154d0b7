//! The process behind `harness::services`: starts Postgres and Redis, and stays until nobody has used them for a while.

use std::{
    error::Error,
    fs::{self, File},
    time::{Duration, Instant},
};

use common::secrets::Token;
use harness::{
    services::{Shared, directory, lock_file, report},
    variable,
};
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
    let shared = describe(&services)?;
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

fn describe(services: &Services) -> Result<Shared, Box<dyn Error + Send + Sync>> {
    let ours = variable("TASKBELL_DATABASE_URL").is_none();
    let password = || Token::random().map(|token| ours.then(|| token.reveal()));
    Ok(Shared {
        database_url: Url::parse(&services.database_url)?,
        redis_url: Url::parse(&services.redis_url)?,
        app_password: password()?,
        worker_password: password()?,
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
