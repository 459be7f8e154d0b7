//! How far a run is, for whoever waits for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{task::JoinHandle, time::Instant};

use super::World;

/// What has been done so far.
#[derive(Debug, Default)]
pub struct Gauge {
    promised: AtomicUsize,
    struck: AtomicUsize,
}

impl Gauge {
    /// A client has its answer.
    pub(super) fn promise(&self) {
        self.promised.fetch_add(1, Ordering::Relaxed);
    }

    /// Something was broken, and mended.
    pub(super) fn strike(&self) {
        self.struck.fetch_add(1, Ordering::Relaxed);
    }
}

/// Writes a line every ten seconds, until it is dropped.
#[derive(Debug)]
pub struct Watch(JoinHandle<()>);

/// Watches a run.
#[must_use]
pub fn watch(world: &World, name: &str, reminders: usize, blows: usize) -> Watch {
    let (gauge, taken) = (Arc::clone(&world.gauge), world.smtp.counter());
    let (name, begun) = (name.to_owned(), Instant::now());
    Watch(tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(10)).await;
            let (promised, struck) = (gauge.promised.load(Ordering::Relaxed), gauge.struck.load(Ordering::Relaxed));
            let (seconds, taken) = (begun.elapsed().as_secs(), taken());
            eprintln!(
                "  {name}, {seconds} s: {promised} of {reminders} promised, {taken} mails came, {struck} of {blows} blows"
            );
        }
    }))
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}
