//! What a batch is answered with: of each deed what its own route would have said.

use common::{
    shown::Shown,
    tasks::{Deed, Done, PlannedTask},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::{Problem, Told};

/// What has become of each deed, in their order.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchResults)]
pub(crate) struct Results {
    /// One for each.
    results: Vec<ResultOfOne>,
}

/// What has become of one deed.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchResult)]
pub(crate) struct ResultOfOne {
    /// Which one, from 0.
    index: usize,
    /// The status that its own route would have answered with.
    status: u16,
    /// The task as it is now; null of one that was deleted or not changed.
    task: Option<PlannedTask>,
    /// Why it was not done.
    problem: Option<Told>,
}

impl Shown for Results {}

impl Results {
    pub(crate) fn of(done: Vec<Done>) -> Self {
        let results = done.into_iter().enumerate().map(|(index, done)| match done.result {
            Ok((Deed::Create, task)) => ResultOfOne { index, status: 201, task, problem: None },
            Ok((_, Some(task))) => ResultOfOne { index, status: 200, task: Some(task), problem: None },
            Ok((_, None)) => ResultOfOne { index, status: 204, task: None, problem: None },
            Err(fault) => {
                let problem = Problem::from(fault).at(&done.place);
                ResultOfOne { index, status: problem.status().code, task: None, problem: Some(problem.told()) }
            }
        });
        Self { results: results.collect() }
    }
}
