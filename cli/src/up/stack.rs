//! A private stack: services, schema, mail catcher, and the two processes.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::{Duration, Instant},
};

use common::db::{self, RolePasswords};
use local::{Child, Inbox, Options, Output, Program, Progress, Services, Signal, inbox::WebPage};
use url::Url;

use super::{places::Places, port::Port, secrets::Secrets};
use crate::{Failure, Place, settings, tour::Cast};

/// How long a process may take until it can be used.
const READY: Duration = Duration::from_secs(30);
/// The worker's own grace, and a little more.
const GRACE: Duration = Duration::from_secs(30);

/// Everything that `up` runs.
pub(super) struct Stack {
    pub(super) services: Services,
    pub(super) processes: [Child; 2],
    mail: Inbox,
    page: WebPage,
    environment: Environment,
    pub(super) places: Places,
    _port: Port,
}

/// What the processes are told: both, and the worker on top.
struct Environment {
    variables: Vec<(&'static str, String)>,
    worker: Vec<(&'static str, String)>,
}

/// The two processes, in the order in which they stand in [`Stack::processes`].
pub(super) const PROCESSES: [&str; 2] = ["api", "worker"];

impl Stack {
    /// Starts everything, telling each step.
    pub(super) async fn start(place: &Place, progress: Progress) -> Result<Self, Failure> {
        let port = Port::choose(place.port)?;
        let database_url = settings::variable("TASKBELL_DATABASE_URL");
        let private = database_url.is_none();
        let services = Services::start(Options {
            data: place.data.clone(),
            durable: true,
            max_connections: 100,
            database_url,
            redis_url: settings::variable("TASKBELL_REDIS_URL"),
            progress,
        })
        .await?;
        let data = services.data().path().to_owned();
        let secrets = Secrets::of(&data)?;

        let step = progress.step("schema");
        let (database, app, worker) = migrate(&services.database_url, private, &secrets).await?;
        step.done(format!("{} migrations", db::MIGRATOR.iter().count()));

        let step = progress.step("mail catcher");
        let mail = Inbox::start(any_port(), Some(data.join("mail"))).await?;
        // People remember 8025 as the port of a mail catcher; a second stack takes any.
        let page = match mail.serve_web((Ipv4Addr::LOCALHOST, 8025).into()).await {
            Ok(page) => page,
            Err(_) => mail.serve_web(any_port()).await?,
        };
        step.done(format!("http://{}", page.addr()));

        let places = Places {
            api: Url::parse(&format!("http://127.0.0.1:{}", port.number))?,
            inbox: Url::parse(&format!("http://{}", page.addr()))?,
            redis: services.redis_url.clone(),
            database,
            app,
            cast: cast(&data, private)?,
            data,
        };
        let environment = Environment {
            variables: vec![
                ("TASKBELL_DATABASE_URL", places.app.to_string()),
                ("TASKBELL_REDIS_URL", places.redis.clone()),
                ("TASKBELL_SERVER_KEY", secrets.server_key),
                ("TASKBELL_PORT", port.number.to_string()),
                ("TASKBELL_BASE_URL", places.api.to_string()),
                ("TASKBELL_SMTP_URL", format!("smtp+plain://{}", mail.smtp_addr())),
            ],
            worker: vec![("TASKBELL_DATABASE_URL", worker.to_string())],
        };
        let processes = [environment.spawn("api", &places).await?, environment.spawn("worker", &places).await?];
        let mut stack = Self { services, processes, mail, page, environment, places, _port: port };
        let step = progress.step("API");
        stack.wait_until_ready().await?;
        step.done(&stack.places.api);
        let step = progress.step("worker");
        step.done(format!("process {}", stack.processes[1].pid().unwrap_or_default()));
        Ok(stack)
    }

    /// Starts a process again that has died.
    pub(super) async fn restart(&mut self, index: usize) -> Result<(), Failure> {
        self.processes[index] = self.environment.spawn(PROCESSES[index], &self.places).await?;
        Ok(())
    }

    /// What the process last wrote, for a message about its end.
    pub(super) fn last_words(&self, index: usize) -> String {
        let log = std::fs::read_to_string(self.places.log(PROCESSES[index])).unwrap_or_default();
        log.lines().last().unwrap_or("it wrote nothing").to_owned()
    }

    async fn wait_until_ready(&mut self) -> Result<(), Failure> {
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build()?;
        let deadline = Instant::now() + READY;
        while Instant::now() < deadline {
            if client.get(self.places.api.join("readyz")?).send().await.is_ok_and(|answer| answer.status().is_success())
            {
                return Ok(());
            }
            for (index, name) in PROCESSES.into_iter().enumerate() {
                if self.processes[index].ended()?.is_some() {
                    return Err(format!("the {name} did not start: {}", self.last_words(index)).into());
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(format!("the API is not ready after {} s; see {}", READY.as_secs(), self.places.log("api").display())
            .into())
    }

    /// Stops what was started, in the order in which things need each other.
    pub(super) async fn stop(self) -> Result<(), Failure> {
        let Self { services, processes: [mut api, mut worker], mail, page, .. } = self;
        let (api, worker) = tokio::join!(api.stop(Signal::TERM, GRACE), worker.stop(Signal::TERM, GRACE));
        page.shutdown().await;
        drop(mail);
        services.stop().await?;
        api.and(worker)?;
        Ok(())
    }
}

impl Environment {
    async fn spawn(&self, name: &'static str, places: &Places) -> Result<Child, Failure> {
        let log = places.log(name);
        if let Some(directory) = log.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let extra = if name == "worker" { self.worker.as_slice() } else { &[] };
        let mut program = Program::new(name, std::env::current_exe()?).arg(name).on_parent_death(Signal::TERM);
        for (variable, value) in self.variables.iter().chain(extra) {
            program = program.env(variable, value);
        }
        Ok(program.output(Output::File(log)).spawn().await?)
    }
}

/// Brings the schema up to date; gives the URLs of the migrating role, of the API and of the worker.
async fn migrate(url: &str, private: bool, secrets: &Secrets) -> Result<(Url, Url, Url), Failure> {
    let mut url = Url::parse(url).map_err(|fault| format!("TASKBELL_DATABASE_URL is not a URL: {fault}"))?;
    let mut passwords = RolePasswords::default();
    if private {
        url = db::create_database(&url, "taskbell").await?;
        passwords.app = Some(secrets.app_password.clone().into());
        passwords.worker = Some(secrets.worker_password.clone().into());
    }
    db::migrate(&url, &passwords).await?;
    let role = |role, password: &String| db::url_as(&url, role, private.then_some(password.as_str()));
    let (app, worker) =
        (role("taskbell_app", &secrets.app_password), role("taskbell_worker", &secrets.worker_password));
    Ok((url, app, worker))
}

/// A database of somebody else's may have seen the demo's people already, and so may one whose first tour was cut short.
fn cast(data: &Path, private: bool) -> Result<Cast, Failure> {
    match std::fs::read_to_string(Places::played(data)) {
        Ok(mark) => Ok(Cast::again(&mark)),
        Err(_) if private && !Places::begun(data).exists() => Ok(Cast::demo()),
        Err(_) => Cast::visitors(),
    }
}

fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}
