//! `taskbell`: the one binary. `cargo run` is `taskbell up`; the processes it starts are itself, executed again.

mod admin;
mod exchange;
mod healthcheck;
mod inbox;
mod logs;
mod settings;
mod signals;
mod tour;
mod up;

use std::{error::Error, net::IpAddr, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use common::db::{self, RolePasswords};
use url::Url;

// argon2 on the system's allocator keeps gigabytes after a storm of sign-ins; this one gives them back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A to-do service for teams whose reminders always arrive.
#[derive(Parser)]
#[command(name = "taskbell", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    place: Place,
}

/// Where a private stack lives.
#[derive(Clone, clap::Args)]
struct Place {
    /// Where the API listens on 127.0.0.1 (8000, or the next free port).
    #[arg(long, global = true, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Where everything is kept.
    #[arg(long, global = true, default_value = ".local/default")]
    data: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything here: Postgres, Redis, a mail catcher, the API and the worker (what `cargo run` does).
    Up,
    /// Play the tour against a fresh stack of its own, or against a running one.
    Tour {
        /// The API of a running deployment.
        #[arg(long, requires = "inbox")]
        api: Option<Url>,
        /// The page of its mail catcher.
        #[arg(long, requires = "api")]
        inbox: Option<Url>,
    },
    /// Delete what `up` keeps.
    Reset,
    /// Run the API (settings: TASKBELL_…).
    Api,
    /// Run the worker that sends the mail (settings: TASKBELL_…).
    Worker,
    /// Bring the database to the schema of this binary (settings: TASKBELL_…).
    Migrate,
    /// Ask what became of mail, hold it back, let it go, have it sent again (settings: those of `migrate`).
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Fetch an organization from a deployment as JSON lines, or its tasks as CSV.
    Export(exchange::Export),
    /// Bring an export into an organization of a deployment, or a CSV file into a project: all of it or nothing.
    Import(exchange::Import),
    /// Catch mail instead of delivering it, for development.
    Inbox {
        /// Where to listen.
        #[arg(long, default_value = "127.0.0.1")]
        address: IpAddr,
        /// SMTP.
        #[arg(long, default_value_t = 1025)]
        smtp_port: u16,
        /// Page and JSON list.
        #[arg(long, default_value_t = 8025)]
        http_port: u16,
    },
    /// Exit with 0 if the process of that name is well (for containers).
    Healthcheck {
        /// Which.
        process: healthcheck::Process,
    },
}

/// Anything that ends the program; shown as one sentence.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(fault) => return fail(&fault),
    };
    match runtime.block_on(run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&*failure),
    }
}

fn fail(failure: &dyn Error) -> ExitCode {
    eprintln!("taskbell: {failure}");
    ExitCode::FAILURE
}

async fn run(Arguments { command, place }: Arguments) -> Result<(), Failure> {
    match command.unwrap_or(Command::Up) {
        Command::Up => up::up(&place).await,
        Command::Tour { api: Some(api), inbox: Some(inbox) } => Ok(tour::visit(api, inbox).await?),
        Command::Tour { .. } => up::tour(&place).await,
        Command::Reset => Ok(local::DataDir::reset(&place.data).await?),
        Command::Api => {
            let settings = settings::read()?;
            logs::start(settings.log_format);
            Ok(api::run(&settings).await?)
        }
        Command::Worker => {
            let settings = settings::read()?;
            logs::start(settings.log_format);
            Ok(worker::run(&settings, signals::stop()).await?)
        }
        Command::Migrate => {
            let settings = settings::read()?;
            logs::start(settings.log_format);
            let passwords =
                RolePasswords { app: settings.app_password.clone(), worker: settings.worker_password.clone() };
            db::migrate(&settings.database_url()?, &passwords).await?;
            tracing::info!("the schema is current");
            Ok(())
        }
        Command::Admin(what) => admin::run(&what).await,
        Command::Export(export) => exchange::export(&export).await,
        Command::Import(import) => exchange::import(&import).await,
        Command::Inbox { address, smtp_port, http_port } => inbox::run(address, smtp_port, http_port).await,
        Command::Healthcheck { process } => healthcheck::check(process).await,
    }
}
