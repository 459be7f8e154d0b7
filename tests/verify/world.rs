//! Everything that one verification needs, its own alone: Postgres, Redis, a mail server, processes. All of it can be hurt.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use common::db;
use jiff::Timestamp;
use local::{Binaries, DataDir, Postgres, PostgresOptions, Progress, Redis};
use reqwest::Client;
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::time::{Instant, sleep};
use url::Url;
use uuid::Uuid;

use super::{
    cluster,
    process::{Process, Role},
    proxy::Proxy,
    smtp::Server,
    watch::Gauge,
};

pub(super) const PASSWORD: &str = "of a role of a database that lives for a minute";

/// What there is of Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// One of its own.
    Own,
    /// None: nothing listens there.
    Absent,
}

/// A Taskbell to be hurt.
pub struct World {
    /// The truth.
    pub postgres: Postgres,
    /// The hints, if there are any.
    pub redis: Option<Redis>,
    /// Where the mail goes.
    pub smtp: Server,
    /// The wire between the processes and Postgres, for those that are started over it.
    pub proxy: Proxy,
    /// Postgres as its superuser, for arranging and for looking.
    pub admin: PgPool,
    /// Where the API answers, when it runs.
    pub api: Url,
    /// How far the run is.
    pub gauge: Arc<Gauge>,
    database: Url,
    redis_url: Url,
    directory: DataDir,
    started: u32,
}

impl World {
    /// Without any process yet.
    ///
    /// # Panics
    /// When a server does not start.
    pub async fn new(queue: Queue) -> Self {
        let directory = std::env::temp_dir().join(format!("taskbell-verify-{}", Uuid::now_v7().simple()));
        let directory = DataDir::open(directory).unwrap();
        let dir = directory.path().to_owned();
        let quiet = Progress::quiet();
        let binaries = Binaries::postgres(quiet).await.unwrap();
        // Durable: a commit that was told must be there after an immediate stop.
        let options = PostgresOptions { dir: dir.clone(), durable: true, max_connections: 100 };
        cluster::copy_to(&dir, &binaries).await;
        let postgres = Postgres::start(binaries, options, quiet).await.unwrap();
        let redis = match queue {
            Queue::Own => {
                let binaries = Binaries::redis(quiet).await.unwrap();
                Some(Redis::start(binaries, &dir, quiet).await.unwrap())
            }
            Queue::Absent => None,
        };
        let nobody = || format!("redis://127.0.0.1:{}/", local::free_port().unwrap());
        let redis_url = Url::parse(&redis.as_ref().map_or_else(nobody, Redis::url)).unwrap();
        let mut database = Url::parse(&postgres.url()).unwrap();
        database.set_path("taskbell");
        let patient = PgPoolOptions::new().max_connections(4).acquire_timeout(Duration::from_secs(20));
        Self {
            smtp: Server::start().await,
            proxy: Proxy::to(postgres.port()).await,
            admin: patient.connect(database.as_str()).await.unwrap(),
            api: Url::parse(&format!("http://127.0.0.1:{}", local::free_port().unwrap())).unwrap(),
            gauge: Arc::default(),
            postgres,
            redis,
            database,
            redis_url,
            directory,
            started: 0,
        }
    }

    /// Starts the API and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub async fn start_api(&mut self) -> Process {
        let url = db::url_as(&self.database, "taskbell_app", Some(PASSWORD));
        let api = self.start(Role::Api, &url).await;
        self.api_is_ready().await;
        api
    }

    /// The same over the wire that the test can stop.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_api_over_proxy(&mut self) -> Process {
        let url = self.proxy.over(&db::url_as(&self.database, "taskbell_app", Some(PASSWORD)));
        let api = self.start(Role::Api, &url).await;
        self.api_is_ready().await;
        api
    }

    /// Starts a worker.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_worker(&mut self) -> Process {
        let url = db::url_as(&self.database, "taskbell_worker", Some(PASSWORD));
        self.start_working(&url).await
    }

    /// Starts a worker over the wire that the test can stop.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_worker_over_proxy(&mut self) -> Process {
        let url = self.proxy.over(&db::url_as(&self.database, "taskbell_worker", Some(PASSWORD)));
        self.start_working(&url).await
    }

    async fn start_working(&mut self, database: &Url) -> Process {
        let worker = self.start(Role::Worker, database).await;
        let log = self.log(Role::Worker);
        crate::eventually("the worker is ready", async || {
            std::fs::read_to_string(&log).is_ok_and(|log| log.contains("the worker is ready")).then_some(())
        })
        .await;
        worker
    }

    async fn start(&mut self, role: Role, database: &Url) -> Process {
        self.started += 1;
        Process::start(role, &self.settings(database), &self.log(role)).await
    }

    /// Where the process writes that was started last.
    fn log(&self, role: Role) -> PathBuf {
        self.directory.path().join(format!("{}-{}.log", role.name(), self.started))
    }

    /// Waits until the API answers.
    ///
    /// # Panics
    /// When it does not.
    pub async fn api_is_ready(&self) {
        let client = Client::builder().pool_max_idle_per_host(0).build().unwrap();
        crate::eventually("the API answers", async || {
            let answer = client.get(self.api.join("/readyz").unwrap()).send().await;
            answer.is_ok_and(|answer| answer.status().is_success()).then_some(())
        })
        .await;
    }

    fn settings(&self, database: &Url) -> Vec<(&'static str, String)> {
        vec![
            ("TASKBELL_DATABASE_URL", database.to_string()),
            ("TASKBELL_DATABASE_CONNECTIONS", "8".to_owned()),
            ("TASKBELL_REDIS_URL", self.redis_url.to_string()),
            ("TASKBELL_SERVER_KEY", "a key for verifications only, long enough".to_owned()),
            ("TASKBELL_PORT", self.api.port().unwrap_or_default().to_string()),
            ("TASKBELL_BASE_URL", self.api.to_string()),
            ("TASKBELL_SMTP_URL", self.smtp.url().to_string()),
            ("TASKBELL_MAIL_FROM", "Taskbell <taskbell@example.org>".to_owned()),
            ("TASKBELL_RATE_ADDRESS", "off".to_owned()),
            ("TASKBELL_RATE_CREDENTIAL", "off".to_owned()),
        ]
    }

    /// Gives a command to Redis; whether it was taken.
    ///
    /// # Panics
    /// When there is no Redis in this world.
    pub async fn redis_command(&self, words: &[&str]) -> bool {
        assert!(self.redis.is_some(), "there is no Redis here");
        let Ok(client) = redis::Client::open(self.redis_url.as_str()) else { return false };
        let Ok(mut connection) = client.get_multiplexed_async_connection().await else { return false };
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async::<redis::Value>(&mut connection).await.is_ok()
    }

    /// What Redis holds: megabytes, and keys.
    ///
    /// # Panics
    /// When there is none.
    pub async fn redis_holds(&self) -> (f64, f64) {
        let client = redis::Client::open(self.redis_url.as_str()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let told: String = redis::cmd("INFO").arg("memory").query_async(&mut connection).await.unwrap();
        let bytes: f64 = told.lines().find_map(|line| line.strip_prefix("used_memory:")?.trim().parse().ok()).unwrap();
        let keys: u32 = redis::cmd("DBSIZE").query_async(&mut connection).await.unwrap();
        (bytes / 1_048_576.0, f64::from(keys))
    }

    /// The leases end now: for tests that do not wait for what the clock will do.
    ///
    /// # Panics
    /// When Postgres fails.
    pub async fn end_leases(&self) {
        let ended = "update mails set lease_until = clock_timestamp() where state in ('claimed', 'sending')";
        sqlx::query(ended).execute(&self.admin).await.unwrap();
    }

    /// What waits for its next try is tried now.
    ///
    /// # Panics
    /// When Postgres fails.
    pub async fn end_pauses(&self) {
        let ended = "update mails set next_at = clock_timestamp(), queued_at = null where state = 'retry'";
        sqlx::query(ended).execute(&self.admin).await.unwrap();
    }

    /// Everything that waits is due in so much time from now, to the microsecond the same; when that is. For crowds, which nobody
    /// can ask for within a second.
    ///
    /// # Panics
    /// When Postgres fails.
    pub async fn all_due_in(&self, wait: Duration) -> Timestamp {
        let at: jiff_sqlx::Timestamp = sqlx::query_scalar(
            "with at as materialized (select clock_timestamp() + $1 * interval '1 second' as due_at),
                  moved as (update mails m set due_at = at.due_at, next_at = at.due_at, queued_at = null,
                                   expires_at = at.due_at + interval '12 hours'
                            from at where m.state = 'scheduled' returning m.id),
                  told as (update deliveries d set due_at = at.due_at from at, moved where d.mail_id = moved.id)
             select due_at from at",
        )
        .bind(wait.as_secs_f64())
        .fetch_one(&self.admin)
        .await
        .unwrap();
        at.to_jiff()
    }

    /// Waits until nothing is on its way any more, for so long at most; false: something is.
    pub async fn settles(&self, most: Duration) -> bool {
        let deadline = Instant::now() + most;
        let on_its_way = "select count(*) from mails where state not in ('sent', 'dead', 'cancelled', 'expired')";
        while Instant::now() < deadline {
            let left: sqlx::Result<i64> = sqlx::query_scalar(on_its_way).fetch_one(&self.admin).await;
            if left.is_ok_and(|left| left == 0) {
                return true;
            }
            sleep(Duration::from_millis(50)).await;
        }
        false
    }

    /// How many mails are in each state.
    ///
    /// # Errors
    /// Postgres is away.
    pub async fn states(&self) -> sqlx::Result<Vec<(String, i64)>> {
        sqlx::query_as("select state, count(*) from mails group by 1 order by 1").fetch_all(&self.admin).await
    }

    /// By how much Postgres' clock is ahead of ours, and how far off that may be.
    ///
    /// # Panics
    /// When Postgres does not answer.
    pub async fn clock(&self) -> Clock {
        let mut best = Clock { ahead_micros: 0, within_micros: i64::MAX };
        for _ in 0..20 {
            let before = super::now();
            let theirs: i64 = sqlx::query_scalar("select (extract(epoch from clock_timestamp()) * 1000000)::bigint")
                .fetch_one(&self.admin)
                .await
                .unwrap();
            let after = super::now();
            let half = (after.as_microsecond() - before.as_microsecond()) / 2;
            if half < best.within_micros {
                best = Clock { ahead_micros: theirs - before.as_microsecond() - half, within_micros: half };
            }
        }
        best
    }

    /// The database, as its superuser.
    #[must_use]
    pub fn database_url(&self) -> &Url {
        &self.database
    }

    /// Where the logs of the processes are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Stops the servers, and leaves nothing behind.
    ///
    /// # Panics
    /// When something cannot be stopped.
    pub async fn end(self) {
        self.admin.close().await;
        if let Some(redis) = self.redis {
            redis.stop().await.unwrap();
        }
        self.postgres.stop().await.unwrap();
        // While it is held: a process that another test starts at this moment has the lock for an instant, too.
        self.directory.wipe().await.unwrap();
    }
}

/// How two clocks stand to each other.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Clock {
    /// Postgres' minus ours.
    pub ahead_micros: i64,
    /// How far off that may be.
    pub within_micros: i64,
}

impl Clock {
    /// One of our moments on Postgres' clock, as late as it can have been: who is early by this is early.
    #[must_use]
    pub fn latest(&self, ours: Timestamp) -> Timestamp {
        let micros = ours.as_microsecond().saturating_add(self.ahead_micros).saturating_add(self.within_micros);
        Timestamp::from_microsecond(micros).unwrap_or(ours)
    }
}
