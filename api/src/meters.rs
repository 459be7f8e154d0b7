//! The figures of the API, for a Prometheus. Labels are the route's pattern and words of ours: never a path, an id or a name.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use common::db::Db;
use metrics::{Counter, Family, Histogram, Level, Registry};
use rocket::{Build, Rocket, fairing::AdHoc, http::Status};

use crate::until_shutdown;

/// Seconds. Most requests take some milliseconds; passwords take 50 and more; an import may take a minute.
const LATENCIES: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// A name and a value.
type Label<V> = (&'static str, V);

/// Among Rocket's state when they are shown.
#[derive(Clone)]
pub(crate) struct Meters {
    registry: Arc<Registry>,
    /// By method, route and class of status (`2xx`).
    requests: Family<[Label<String>; 3], Counter>,
    latencies: Family<[Label<String>; 2], Histogram, fn() -> Histogram>,
    /// By bucket: `address` or `credential`.
    refused: Family<[Label<&'static str>; 1], Counter>,
    /// By state: `used` or `idle`.
    connections: Family<[Label<&'static str>; 1], Level>,
}

impl Meters {
    fn new() -> Self {
        let (requests, refused, connections) = (Family::default(), Family::default(), Family::default());
        let latencies = Family::new_with_constructor((|| Histogram::new(LATENCIES)) as fn() -> Histogram);
        let mut registry = metrics::registry();
        registry.register("http_requests", "Requests that were answered", requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "From the head of a request to its answer",
            latencies.clone(),
        );
        registry.register("http_requests_refused", "Requests refused since there were too many", refused.clone());
        registry.register("database_connections", "Connections to Postgres", connections.clone());
        Self { registry: Arc::new(registry), requests, latencies, refused, connections }
    }

    /// A request, at its end.
    pub(crate) fn answered(
        &self,
        method: &str,
        route: &str,
        status: Status,
        took: Duration,
        refused: Option<&'static str>,
    ) {
        let (method, route) = (("method", method.to_owned()), ("route", route.to_owned()));
        self.latencies.get_or_create(&[method.clone(), route.clone()]).observe(took.as_secs_f64());
        let class = ("status", format!("{}xx", status.code / 100));
        self.requests.get_or_create(&[method, route, class]).inc();
        if let Some(bucket) = refused {
            self.refused.get_or_create(&[("bucket", bucket)]).inc();
        }
    }

    fn page(&self, db: Option<&Db>) -> String {
        if let Some(db) = db {
            let (open, idle) = db.connections();
            let idle = u32::try_from(idle).unwrap_or(u32::MAX);
            self.connections.get_or_create(&[("state", "idle")]).set(idle.into());
            self.connections.get_or_create(&[("state", "used")]).set(open.saturating_sub(idle).into());
        }
        metrics::render(&self.registry)
    }
}

/// Shows them at `address`, from the moment at which the API answers until it stops.
///
/// # Errors
/// When nobody can listen there.
pub(crate) fn attach(rocket: Rocket<Build>, address: Option<SocketAddr>) -> Result<Rocket<Build>, metrics::NotBound> {
    let Some(address) = address else { return Ok(rocket) };
    let (listener, meters) = (metrics::bind(address)?, Meters::new());
    let show = AdHoc::on_liftoff("metrics", move |rocket| {
        Box::pin(async move {
            let (Some(meters), db) = (rocket.state::<Meters>().cloned(), rocket.state::<Db>().cloned()) else { return };
            let page = move || std::future::ready(meters.page(db.as_ref()));
            tokio::spawn(metrics::serve(listener, page, until_shutdown(rocket)));
        })
    });
    Ok(rocket.manage(meters).attach(show))
}
