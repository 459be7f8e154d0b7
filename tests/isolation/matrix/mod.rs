//! The matrix: every mounted route, asked by every kind of caller, with every kind of thing in every place that names one.
//!
//! `recipes.txt` says how to ask a route (a line each), `callers.rs` who asks (a line each), `../furnish` what there is. What each
//! cell answers stands in `expected.txt` and changes by review: `UPDATE_MATRIX=1 cargo test -p tests --test isolation matrix` writes
//! it. What must hold whatever stands there is in `verdict.rs`. `TASKBELL_TESTS=full` compares more ids of nothing and of others.

mod callers;
mod lane;
mod recipes;
mod rows;
mod table;
mod variants;
mod verdict;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use lane::{Lane, Outcome};
use recipes::Recipe;
use rows::Row;

use crate::{
    expected::{committed, is_updating, write},
    world::{World, run},
};

/// How many Taskbells share the work.
const LANES: usize = 4;

/// The world, kept so that it can be put back.
async fn kept() -> World {
    let world = World::furnish().await;
    let mut admin = world.database.connect().await;
    run(&mut admin, "select furnish.keep()").await;
    world
}

/// Asks everything.
async fn ask(recipes: &Arc<[Recipe]>, world: &World) -> Vec<Outcome> {
    let mut lanes = Vec::new();
    for _ in 0..LANES {
        lanes.push(Lane::open(world).await);
    }
    let mut rows = Vec::new();
    for (number, recipe) in recipes.iter().enumerate() {
        let pages = recipe.slots().1.iter().any(|slot| slot.kind == "cursor");
        let cursors = if pages { Some(lanes[0].cursors(recipe, world).await) } else { None };
        rows.extend(Row::all(number, recipe, world, cursors.as_ref()));
    }
    let name = |row: &Row| (row.recipe, row.name.clone());
    let order: HashMap<_, _> = rows.iter().enumerate().map(|(number, row)| (name(row), number)).collect();
    let rows = Arc::new(Mutex::new(rows));
    let tasks = lanes.into_iter().map(|mut lane| {
        let (recipes, world, rows) = (Arc::clone(recipes), world.clone(), Arc::clone(&rows));
        tokio::spawn(async move {
            let outcomes = lane.work(&recipes, &world, &rows).await;
            lane.close().await;
            outcomes
        })
    });
    let mut outcomes = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        outcomes.extend(task.await.unwrap());
    }
    outcomes.sort_by_key(|outcome| order[&name(&outcome.row)]);
    outcomes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_answers_every_caller_as_committed_and_tells_nobody_of_others() {
    let begun = tokio::time::Instant::now();
    let world = kept().await;
    let recipes: Arc<[Recipe]> = Recipe::all().into();
    let outcomes = ask(&recipes, &world).await;
    let cells: usize = outcomes.iter().map(|outcome| outcome.asked().count()).sum();
    let asked = begun.elapsed();

    let mut verdict = verdict::Verdict::default();
    for (number, recipe) in recipes.iter().enumerate() {
        let own: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.row.recipe == number).collect();
        verdict::judge(recipe, &own, &world, &mut verdict);
    }
    println!(
        "{} recipes, {} rows, {cells} cells in {asked:?}; {} pairs compared, each answer searched; {:?} in all",
        recipes.len(),
        outcomes.len(),
        verdict.pairs,
        begun.elapsed()
    );
    none(&verdict.violations, "violations");

    let actual = table::render(&recipes, &outcomes);
    if is_updating() {
        write("matrix/expected.txt", &actual);
    }
    let committed = committed("matrix/expected.txt");
    let differences = table::differences(&committed, &actual);
    none(&differences, "cells differ");
    assert!(
        committed == actual,
        "tests/isolation/matrix/expected.txt differs in more than its cells; UPDATE_MATRIX=1 writes it"
    );
}

/// Panics with the first of what was found.
#[track_caller]
fn none(found: &[String], what: &str) {
    let first = found.iter().take(40).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(found.is_empty(), "{} {what}, of which the first are:\n{first}", found.len());
}
