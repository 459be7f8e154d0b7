//! The one place where the environment is read.

use common::config::{Settings, SettingsError};

/// All settings.
///
/// # Errors
/// The first that is unknown or cannot be read.
#[expect(clippy::disallowed_methods, reason = "this is the edge")]
pub(crate) fn read() -> Result<Settings, SettingsError> {
    Settings::from_variables(std::env::vars())
}

/// A single variable, for what `up` is told.
#[expect(clippy::disallowed_methods, reason = "this is the edge")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
