//! The API held against its own description by schemathesis (docs/verification.md#schemathesis): what it says of requests, of
//! answers and of what belongs together. `TASKBELL_SEED=…` does a run again, `TASKBELL_TESTS=full` makes a long one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "in a test a panic is a verdict"
)]

mod calendar;
mod furnish;
mod report;
mod tool;

use std::time::Duration;

use harness::{TestApp, variable};
use tokio::time::interval;
use uuid::Uuid;

use report::Report;

/// How many cases of an operation are made up in a phase at most, and how many people end their sessions in the course.
struct Effort {
    examples: u32,
    people: u32,
}

const FEW: Effort = Effort { examples: 15, people: 150 };
const MANY: Effort = Effort { examples: 700, people: 4_000 };

/// Limits that a run would reach, and then find nothing else.
const SETTINGS: [(&str, &str); 6] = [
    ("TASKBELL_DATABASE_CONNECTIONS", "10"),
    ("TASKBELL_QUOTA_LABELS", "100000"),
    ("TASKBELL_QUOTA_MEMBERS", "100000"),
    ("TASKBELL_QUOTA_PROJECTS", "100000"),
    ("TASKBELL_QUOTA_REMINDERS", "100000"),
    ("TASKBELL_QUOTA_TOKENS", "100000"),
];

/// What a run makes its requests of. Two runs, each in a house of its own: schemathesis asks one thing after the other.
struct Part {
    phases: &'static str,
    /// How many requests it takes for the run to mean something, in a short one and in a long one.
    least: [usize; 2],
    /// Of how many requests at most one may be turned away at the door: among what is made up there are credentials.
    of: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_nothing_in_examples_and_in_what_is_wrong_in_one_place() {
    find_nothing(&Part { phases: "examples,coverage", least: [4_000, 4_000], of: 6 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_nothing_in_what_it_makes_up_and_in_what_follows_from_answers() {
    find_nothing(&Part { phases: "fuzzing,stateful", least: [1_000, 100_000], of: 2 }).await;
}

async fn find_nothing(part: &Part) {
    let full = variable("TASKBELL_TESTS").as_deref() == Some("full");
    let effort = if full { MANY } else { FEW };
    // Small enough to be read and typed.
    let new = || u64::from_be_bytes(Uuid::now_v7().as_bytes()[8..].try_into().unwrap()) % 1_000_000_000;
    let seed = variable("TASKBELL_SEED").map_or_else(new, |seed| seed.parse().expect("TASKBELL_SEED is a number"));
    println!("schemathesis: {}, seed {seed}", part.phases);
    let program = tokio::task::spawn_blocking(tool::program).await.unwrap();

    let app = TestApp::with_settings(&SETTINGS).await;
    let house = furnish::house(&app, effort.people).await;
    let forgiving = tokio::spawn(forgive(app.admin.clone()));
    let run = tool::run(&program, &app.url("/openapi.json"), &house, part.phases, seed, effort.examples).await;
    forgiving.abort();

    let report = Report::read(&run.report);
    println!("{report}");
    assert!(run.found_nothing, "seed {seed}: {}", run.said);
    report.assert_meant_something(part.least[usize::from(full)], part.of);
    // What it did is of interest only while something is wrong with it.
    std::fs::remove_dir_all(run.report.parent().unwrap()).unwrap();
}

/// Guesses get slower; nobody guesses here, and what is told to wait tells nothing else.
async fn forgive(admin: sqlx::PgPool) {
    // Without waiting for anybody: whoever is being counted holds some of these rows, and may wait for others.
    let forget = "delete from throttles where ctid in (select ctid from throttles for update skip locked)";
    let mut now = interval(Duration::from_millis(200));
    loop {
        now.tick().await;
        sqlx::query(forget).execute(&admin).await.unwrap();
    }
}
