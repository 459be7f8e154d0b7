//! Why a worker does not run, or no longer.

use std::fmt::Display;

use common::{config::SettingsError, db::ConnectError};
use tokio::task::JoinError;

/// Every way in which [`crate::run`] fails; the process exits non-zero with it.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A setting is missing or wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database cannot be reached, or its role may too much.
    #[error(transparent)]
    Database(#[from] ConnectError),
    /// Where metrics shall be shown, that cannot be.
    #[error(transparent)]
    Metrics(#[from] metrics::NotBound),
    /// A part that runs for ever came to an end.
    #[error("the {0} ended on its own")]
    Ended(&'static str),
    /// apalis gave up.
    #[error("the worker failed: {0}")]
    Failed(#[from] apalis::prelude::WorkerError),
    /// A part panicked.
    #[error("a part of the worker died: {0}")]
    Died(#[from] JoinError),
}

/// A setting that is there and cannot be used; never tells its value.
pub(crate) fn unusable(name: &str, why: &dyn Display) -> WorkerError {
    SettingsError::Wrong { name: name.to_owned(), why: why.to_string() }.into()
}
