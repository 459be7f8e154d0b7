//! What API and worker share to show figures to a Prometheus: a page on a port of its own. What is counted, and under which names, is theirs
//! (`api/src/meters.rs`, `worker/src/meters.rs`; docs/operations.md lists it).

mod page;

pub use page::{NotBound, bind, serve};
pub use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use std::sync::atomic::AtomicU64;

/// A gauge that can say "unknown": not a number.
pub type Level = Gauge<f64, AtomicU64>;

/// The registry of a process. Every name begins with `taskbell_`.
#[must_use]
pub fn registry() -> Registry {
    Registry::with_prefix("taskbell")
}

/// The page, as Prometheus reads it.
#[must_use]
pub fn render(registry: &Registry) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail, and neither do our labels.
    let _ = prometheus_client::encoding::text::encode(&mut page, registry);
    page
}
