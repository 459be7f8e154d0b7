//! The pair of servers that Taskbell needs, started, watched and stopped together.

use std::{fmt, future::pending, path::PathBuf};

use crate::{Binaries, DataDir, Postgres, PostgresOptions, Progress, Redis, Result};

/// What to start and where.
#[derive(Clone)]
pub struct Options {
    /// The data directory; made when it does not exist.
    pub data: PathBuf,
    /// Whether data is to survive a power cut; tests do without and are faster.
    pub durable: bool,
    /// How many connections Postgres takes.
    pub max_connections: u16,
    /// A Postgres to use instead of starting one.
    pub database_url: Option<String>,
    /// A Redis to use instead of starting one.
    pub redis_url: Option<String>,
    /// Where the steps are told.
    pub progress: Progress,
}

/// One of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The database.
    Postgres,
    /// The queue.
    Redis,
}

/// A Postgres and a Redis to use, private ones unless others were named.
pub struct Services {
    /// How to connect to Postgres, as its superuser when it is ours.
    pub database_url: String,
    /// How to connect to Redis.
    pub redis_url: String,
    postgres: Option<Postgres>,
    redis: Option<Redis>,
    progress: Progress,
    // Last, so that the directory is given back when nothing of ours uses it any more.
    data: DataDir,
}

impl Services {
    /// Takes the data directory and starts what was not named.
    ///
    /// # Errors
    /// When another run uses the directory, or a server cannot be found, fetched or started.
    pub async fn start(options: Options) -> Result<Self> {
        let Options { data, durable, max_connections, database_url, redis_url, progress } = options;
        let data = DataDir::open(data)?;

        // One after the other, as both may have to be fetched through the same cache.
        let postgres = match &database_url {
            Some(_) => None,
            None => Some(Binaries::postgres(progress).await?),
        };
        let redis = match &redis_url {
            Some(_) => None,
            None => Some(Binaries::redis(progress).await?),
        };

        let options = PostgresOptions { dir: data.path().to_owned(), durable, max_connections };
        let start_postgres = async {
            match postgres {
                Some(binaries) => Postgres::start(binaries, options, progress).await.map(Some),
                None => Ok(None),
            }
        };
        let start_redis = async {
            match redis {
                Some(binaries) => Redis::start(binaries, data.path(), progress).await.map(Some),
                None => Ok(None),
            }
        };
        let (postgres, redis) = tokio::try_join!(start_postgres, start_redis)?;
        Ok(Self {
            database_url: database_url.or(postgres.as_ref().map(Postgres::url)).unwrap_or_default(),
            redis_url: redis_url.or(redis.as_ref().map(Redis::url)).unwrap_or_default(),
            postgres,
            redis,
            progress,
            data,
        })
    }

    /// The data directory, held as long as the services live.
    #[must_use]
    pub fn data(&self) -> &DataDir {
        &self.data
    }

    /// Our own Postgres, when one was started.
    pub fn postgres(&mut self) -> Option<&mut Postgres> {
        self.postgres.as_mut()
    }

    /// Our own Redis, when one was started.
    pub fn redis(&mut self) -> Option<&mut Redis> {
        self.redis.as_mut()
    }

    /// Waits until one of our own servers ends, and tells which; forever when none was started.
    /// May be dropped and called again, as in a `select!`.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub async fn watch(&mut self) -> Result<Service> {
        let Self { postgres, redis, .. } = self;
        let postgres = async {
            match postgres {
                Some(postgres) => postgres.wait().await,
                None => pending().await,
            }
        };
        let redis = async {
            match redis {
                Some(redis) => redis.wait().await,
                None => pending().await,
            }
        };
        tokio::select! {
            status = postgres => status.map(|_| Service::Postgres),
            status = redis => status.map(|_| Service::Redis),
        }
    }

    /// Starts one of our own servers again, on the same port, so that its URL stays good.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn restart(&mut self, service: Service) -> Result<()> {
        let step = self.progress.step(service.to_string());
        match (service, &mut self.postgres, &mut self.redis) {
            (Service::Postgres, Some(postgres), _) => postgres.restart().await?,
            (Service::Redis, _, Some(redis)) => redis.restart().await?,
            // Not ours: nothing to restart.
            _ => return Ok(()),
        }
        step.done("started again");
        Ok(())
    }

    /// Stops what was started: the queue first, then the truth.
    ///
    /// # Errors
    /// When the system cannot tell whether a server ended.
    pub async fn stop(self) -> Result<()> {
        let Self { postgres, redis, data, .. } = self;
        let redis = match redis {
            Some(redis) => redis.stop().await,
            None => Ok(()),
        };
        let postgres = match postgres {
            Some(postgres) => postgres.stop().await,
            None => Ok(()),
        };
        drop(data);
        redis.and(postgres)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "Postgres",
            Self::Redis => "Redis",
        })
    }
}
