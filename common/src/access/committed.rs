//! A write cannot be answered before it is committed: the types see to it.

use serde::Serialize;

/// The outcome of a write inside an open transaction. Nothing leads from here to an answer but [`super::Scope::commit`].
#[derive(Debug)]
#[must_use = "commit it, or the write is rolled back"]
pub struct Written<T>(pub(crate) T);

impl<T> Written<T> {
    /// The same write, described otherwise.
    pub fn map<U>(self, describe: impl FnOnce(T) -> U) -> Written<U> {
        Written(describe(self.0))
    }
}

/// The outcome of a write that Postgres has committed; only this can be sent.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Committed<T>(pub(super) T);

impl<T> Committed<T> {
    /// What was committed.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// What was committed, given away.
    pub fn into_inner(self) -> T {
        self.0
    }
}
