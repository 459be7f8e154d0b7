//! The one place where the environment is read.

use common::config::{Settings, SettingsError};

/// All settings.
///
/// # Errors
/// The first that is unknown or cannot be read.
pub(crate) fn read() -> Result<Settings, SettingsError> {
    let ours = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let ours = ours.filter(|(name, _)| name.starts_with("TASKBELL_")).map(|(name, value)| match value.into_string() {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(SettingsError::Wrong { name, why: "it is not UTF-8".to_owned() }),
    });
    Settings::from_variables(ours.collect::<Result<Vec<_>, _>>()?)
}

/// A single variable, for what `up` is told.
#[expect(clippy::disallowed_methods, reason = "this is the edge")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
