//! What the tests stand on: real services, shared by all test binaries of a run; a database, a queue and a mail catcher of
//! its own for each test; people who act.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "in a test a panic is a verdict"
)]

mod actor;
mod app;
mod browser;
mod contract;
mod database;
mod factory;
mod figures;
mod log;
mod password;
mod queue;
mod raw;
mod reply;
pub mod services;
#[path = "../verify/mod.rs"]
pub mod verify;

pub use actor::Actor;
pub use app::{KEY, RunningWorker, TestApp, mounted_routes};
pub use browser::{Browser, Mark, Target, Window};
pub use database::Database;
pub use factory::Team;
pub use figures::Figures;
pub use log::Log;
pub use password::PASSWORD;
pub use raw::Raw;
pub use reply::Reply;

/// A setting of the test run itself: of what its caller wants, not of Taskbell.
#[expect(clippy::disallowed_methods, reason = "this is an edge")]
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// How long a test waits for something that must happen. Long, since two cores may be busy with other tests.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// Waits until `look` finds something.
///
/// # Panics
/// When it does not within [`PATIENCE`].
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "this did not happen: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}
