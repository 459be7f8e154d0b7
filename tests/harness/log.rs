use std::{
    fs,
    io::{self, Write},
    sync::{Arc, LazyLock, Mutex},
};

use common::{second_factor::TotpSecret, secrets::Credential};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};
use uuid::Uuid;

use crate::{
    Actor, TestApp,
    services::{directory, shared},
};

/// Everything that this process logs from now on, at every level, of every crate.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Starts listening. All of a process hear the same: the other tests of a binary, too.
    #[must_use]
    pub fn listen() -> Self {
        static ONLY: LazyLock<Log> = LazyLock::new(|| {
            let log = Log::default();
            // The test's own client is no part of the product.
            let filter = EnvFilter::new("trace,reqwest=off,hyper_util=off");
            tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(log.clone()).init();
            log
        });
        ONLY.clone()
    }

    /// What was heard.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl TestApp {
    /// The deployment's own credentials: the server key, and the passwords of the roles where they are ours.
    #[must_use]
    pub fn credentials(&self) -> Vec<String> {
        let shared = shared();
        [Some(crate::app::KEY.to_owned()), shared.app_password.clone(), shared.worker_password.clone()]
            .into_iter()
            .flatten()
            .collect()
    }

    /// What Postgres has logged, where it is ours.
    #[must_use]
    pub fn postgres_log(&self) -> Option<String> {
        shared().app_password.as_ref()?;
        let data = directory().join("data");
        let places = [data.clone(), data.join("postgres")];
        let log = places.iter().map(|place| place.join("postgres.log")).find(|log| log.is_file());
        Some(String::from_utf8_lossy(&fs::read(log.expect("Postgres logs into its directory")).unwrap()).into_owned())
    }

    /// What the authenticator app of somebody shows now.
    pub async fn code_of(&self, person: &Actor) -> String {
        let (row, now): (Uuid, i64) = sqlx::query_as(
            "select f.id, extract(epoch from now())::bigint from second_factors f join sessions s on s.account_id = f.account_id
             where s.token_hash = $1",
        )
        .bind(person.token.as_deref().unwrap().parse::<Credential>().unwrap().hash().as_bytes())
        .fetch_one(&self.admin)
        .await
        .unwrap();
        TotpSecret::derive(&self.key, row).shows(now)
    }
}
