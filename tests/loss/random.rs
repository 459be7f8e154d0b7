use std::time::Duration;

use harness::verify::{scenarios, scenarios::Size, strikes::Blows};

fn seed() -> u64 {
    harness::variable("TASKBELL_SEED").map_or_else(rand::random, |seed| seed.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_everything_is_killed_at_random() {
    let size = Size {
        reminders: 500,
        over: Duration::from_secs(25),
        blows: Blows { workers: 20, apis: 4, flushes: 4, redises: 2, postgreses: 1 },
        edited: 30,
        patience: Duration::from_mins(2),
        watched: false,
    };
    let report = scenarios::random("T1", seed(), size).await;
    println!("{report}");
    assert!(report.is_kept());
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_that_race_with_the_moment_at_which_it_is_due_lose_nothing() {
    let size = Size {
        reminders: 150,
        over: Duration::from_secs(6),
        blows: Blows::default(),
        edited: 100,
        patience: Duration::from_mins(1),
        watched: false,
    };
    let report = scenarios::random("edits", seed(), size).await;
    println!("{report}");
    assert!(report.is_kept());
}
