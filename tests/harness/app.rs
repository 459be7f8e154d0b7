use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use common::{
    config::Settings,
    db::{self, Db},
    quotas::Quotas,
    secrets::ServerKey,
    wakeups::Queue,
};
use local::{Inbox, Message};
use rocket::fairing::AdHoc;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, postgres::PgPoolOptions};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};
use url::Url;

use crate::{Actor, Database, PATIENCE, services::shared};

/// The server key of every test.
pub const KEY: &str = "a key for tests only, long enough to be one";

/// A whole Taskbell of one test: its own database, queue and mail catcher, and the API on a port of its own. The worker
/// runs when the test asks for it.
pub struct TestApp {
    /// Where the mail arrives.
    pub inbox: Inbox,
    /// The queue.
    pub queue: Queue,
    /// The database as its superuser, whom row security does not bind: for arranging and for looking behind the curtain.
    pub admin: PgPool,
    /// The deployment's key.
    pub key: ServerKey,
    /// The database's URL, as its superuser.
    pub database_url: Url,
    /// Where the API answers.
    pub api: Url,
    /// The queue's URL.
    pub redis_url: Url,
    pub(crate) namespace: String,
    database: Database,
    http: reqwest::Client,
    shutdown: rocket::Shutdown,
}

/// A worker that the test has started.
pub struct RunningWorker {
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), worker::WorkerError>>,
}

impl TestApp {
    /// Over the run's shared services.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn start() -> Self {
        let redis = tokio::task::spawn_blocking(shared).await.unwrap().redis_url.clone();
        Self::with_redis(redis).await
    }

    /// Over a Redis that the test means to hurt.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn with_redis(redis_url: Url) -> Self {
        Self::over(Database::new().await, redis_url, &[], Vec::new()).await
    }

    /// With settings of the test's own, beside those of every test.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn with_settings(own: &[(&str, &str)]) -> Self {
        let database = Database::new().await;
        Self::over(database, shared().redis_url.clone(), own, Vec::new()).await
    }

    /// With routes of the test's own under `/v1/test`, for what no route of the product does.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn with_routes(routes: Vec<rocket::Route>) -> Self {
        let database = Database::new().await;
        Self::over(database, shared().redis_url.clone(), &[], routes).await
    }

    /// Over a database that the test has furnished.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn with_database(database: Database) -> Self {
        Self::over(database, shared().redis_url.clone(), &[], Vec::new()).await
    }

    async fn over(database: Database, redis_url: Url, own: &[(&str, &str)], routes: Vec<rocket::Route>) -> Self {
        let namespace = database.name.clone();
        let settings = api_settings(&database.url_as("taskbell_app"), &redis_url, &namespace, own);
        let (api, shutdown) = launch(&settings, routes).await;
        Self {
            inbox: Inbox::start((Ipv4Addr::LOCALHOST, 0).into(), None).await.unwrap(),
            queue: Queue::open(&redis_url, &namespace).unwrap(),
            admin: PgPoolOptions::new().max_connections(4).connect(database.url.as_str()).await.unwrap(),
            key: ServerKey::new(KEY.to_owned().into()).unwrap(),
            database_url: database.url.clone(),
            redis_url,
            namespace,
            api,
            database,
            http: reqwest::Client::builder().pool_max_idle_per_host(0).timeout(PATIENCE).build().unwrap(),
            shutdown,
        }
    }

    /// The API stops and starts again with settings of the test's own: over the same database, on another port. People go on with
    /// [`Actor::after_the_restart_of`].
    pub async fn restart_with(&mut self, own: &[(&str, &str)]) {
        self.shutdown.clone().notify();
        let settings = api_settings(&self.database.url_as("taskbell_app"), &self.redis_url, &self.namespace, own);
        (self.api, self.shutdown) = launch(&settings, Vec::new()).await;
    }

    /// An address of the API.
    ///
    /// # Panics
    /// When the path is none.
    #[must_use]
    pub fn url(&self, path: &str) -> Url {
        self.api.join(path).unwrap()
    }

    /// Takes Postgres away from the API: its connections end, and it gets no new ones.
    pub async fn lose_the_database(&self) {
        let name = self.database_url.path().trim_start_matches('/');
        let statement = format!("alter database {name} connection limit 0");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&self.admin).await.unwrap();
        let end = "select pg_terminate_backend(pid) from pg_stat_activity
                   where datname = current_database() and usename = 'taskbell_app'";
        sqlx::query(end).execute(&self.admin).await.unwrap();
    }

    /// Somebody without an account.
    #[must_use]
    pub fn stranger(&self) -> Actor {
        self.actor(common::ids::AccountId::new(), "stranger@example.org", None)
    }

    pub(crate) fn actor(&self, id: common::ids::AccountId, email: &str, token: Option<String>) -> Actor {
        Actor { id, email: email.to_owned(), token, api: self.api.clone(), org: None, http: self.http.clone() }
    }

    /// The domain as the API's role sees it, and the bare pool under it.
    pub async fn app_db(&self, connections: u32) -> (Db, PgPool) {
        let pool = db::connect(&self.database.url_as("taskbell_app"), connections).await.unwrap();
        (Db::new(pool.clone(), self.key.clone(), Quotas::default()), pool)
    }

    /// The domain as the worker's role sees it, and the bare pool under it.
    pub async fn worker_db(&self) -> (Db, PgPool) {
        let pool = db::connect(&self.database.url_as("taskbell_worker"), 2).await.unwrap();
        (Db::new(pool.clone(), self.key.clone(), Quotas::default()), pool)
    }

    /// A plain connection as one of the two roles.
    pub async fn connect_as(&self, role: &str) -> PgConnection {
        self.database.connect_as(role).await
    }

    /// Starts a worker that sends to the test's own inbox.
    #[must_use]
    pub fn work(&self) -> RunningWorker {
        self.work_with(&Url::parse(&format!("smtp+plain://{}", self.inbox.smtp_addr())).unwrap())
    }

    /// Starts a worker that sends to a mail server of the test's choice.
    #[must_use]
    pub fn work_with(&self, smtp_url: &Url) -> RunningWorker {
        self.work_as(smtp_url, &[])
    }

    /// Starts a worker that sends to the test's own inbox, with settings of the test's own beside the usual ones.
    #[must_use]
    pub fn work_with_settings(&self, own: &[(&str, &str)]) -> RunningWorker {
        self.work_as(&Url::parse(&format!("smtp+plain://{}", self.inbox.smtp_addr())).unwrap(), own)
    }

    /// The same, with settings of the test's own beside those of every test.
    ///
    /// # Panics
    /// When they are none.
    #[must_use]
    pub fn work_as(&self, smtp_url: &Url, own: &[(&str, &str)]) -> RunningWorker {
        let own = own.iter().map(|(variable, value)| ((*variable).to_owned(), (*value).to_owned()));
        let settings = Settings::from_variables(
            [
                ("TASKBELL_DATABASE_URL", self.database.url_as("taskbell_worker").to_string()),
                ("TASKBELL_DATABASE_CONNECTIONS", "4".to_owned()),
                ("TASKBELL_REDIS_URL", self.redis_url.to_string()),
                ("TASKBELL_REDIS_NAMESPACE", self.namespace.clone()),
                ("TASKBELL_SERVER_KEY", KEY.to_owned()),
                ("TASKBELL_SMTP_URL", smtp_url.to_string()),
                ("TASKBELL_BASE_URL", self.api.to_string()),
                ("TASKBELL_MAIL_FROM", "Taskbell <taskbell@example.org>".to_owned()),
            ]
            .map(|(variable, value)| (variable.to_owned(), value))
            .into_iter()
            .chain(own),
        )
        .unwrap();
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let stopped = async move {
                let _ = stopped.changed().await;
            };
            worker::run(&settings, stopped).await
        });
        RunningWorker { stop, task }
    }

    /// Waits for a mail to somebody.
    ///
    /// # Panics
    /// When none comes.
    pub async fn mail_to(&self, email: &str) -> Arc<Message> {
        let email = email.to_owned();
        self.inbox.wait_for(move |mail| mail.to.contains(&email), PATIENCE).await.unwrap()
    }

    /// How many of the API's transactions wait for somebody else's lock.
    pub async fn waiting(&self) -> i64 {
        sqlx::query_scalar(
            "select count(*) from pg_stat_activity
             where datname = current_database() and usename = 'taskbell_app' and wait_event_type = 'Lock'",
        )
        .fetch_one(&self.admin)
        .await
        .unwrap()
    }

    /// The state of every mail of the test, in the order in which they were written.
    pub async fn mail_states(&self) -> Vec<String> {
        sqlx::query_scalar("select state from mails order by id").fetch_all(&self.admin).await.unwrap()
    }

    /// Waits until no mail is waiting or on its way.
    pub async fn all_settled(&self) -> Vec<String> {
        crate::eventually("every mail is settled", async || {
            let states = self.mail_states().await;
            let settled = |state: &String| matches!(state.as_str(), "sent" | "dead" | "cancelled" | "expired");
            states.iter().all(settled).then_some(states)
        })
        .await
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.shutdown.clone().notify();
    }
}

impl RunningWorker {
    /// Stops it as SIGTERM does, and waits until it has.
    ///
    /// # Panics
    /// When it ends with an error, or does not end.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        tokio::time::timeout(Duration::from_secs(40), self.task).await.unwrap().unwrap().unwrap();
    }

    /// Drops it at whatever it is doing, as a crash does.
    pub async fn crash(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// Every route that the API mounts: its method and its pattern. Without shadows, which only say that a path has no such method.
///
/// # Panics
/// When the settings are not enough for a server.
#[must_use]
pub fn mounted_routes() -> Vec<(String, String)> {
    // Nothing is connected to before the launch.
    let nowhere = |scheme: &str| Url::parse(&format!("{scheme}://localhost/")).unwrap();
    let rocket = api::server(&api_settings(&nowhere("postgres"), &nowhere("redis"), "nowhere", &[])).unwrap();
    let routes = rocket.routes().filter(|route| route.name.as_deref() != Some("shadow"));
    routes.map(|route| (route.method.to_string(), route.uri.to_string())).collect()
}

fn api_settings(database_url: &Url, redis_url: &Url, namespace: &str, own: &[(&str, &str)]) -> Settings {
    let usual = [
        ("TASKBELL_DATABASE_URL", database_url.as_str()),
        ("TASKBELL_DATABASE_CONNECTIONS", "4"),
        ("TASKBELL_REDIS_URL", redis_url.as_str()),
        ("TASKBELL_REDIS_NAMESPACE", namespace),
        ("TASKBELL_SERVER_KEY", KEY),
        ("TASKBELL_PORT", "0"),
        // Tests are one client that asks as fast as it can.
        ("TASKBELL_RATE_ADDRESS", "off"),
        ("TASKBELL_RATE_CREDENTIAL", "off"),
    ];
    let all = usual.iter().chain(own).map(|(variable, value)| ((*variable).to_owned(), (*value).to_owned()));
    Settings::from_variables(all).unwrap()
}

async fn launch(settings: &Settings, routes: Vec<rocket::Route>) -> (Url, rocket::Shutdown) {
    let (tell, told) = oneshot::channel();
    let tell = std::sync::Mutex::new(Some(tell));
    let rocket =
        api::server(settings).unwrap().mount("/v1/test", routes).attach(AdHoc::on_liftoff("port", move |rocket| {
            let port = rocket.config().port;
            let shutdown = rocket.shutdown();
            Box::pin(async move {
                if let Some(tell) = tell.lock().unwrap().take() {
                    let _ = tell.send((port, shutdown));
                }
            })
        }));
    tokio::spawn(async move { rocket.launch().await.map(drop).map_err(|fault| panic!("{fault}")) });
    let (port, shutdown) = told.await.unwrap();
    (Url::parse(&format!("http://127.0.0.1:{port}")).unwrap(), shutdown)
}
