use std::time::Duration;

use harness::verify::{
    scenarios,
    scenarios::{APART, Size, TOGETHER},
    strikes::Blows,
};

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
        each: APART,
        patience: Duration::from_mins(2),
        watched: false,
    };
    let report = scenarios::random("T1", seed(), size).await;
    println!("{report}");
    assert!(report.is_kept());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_many_in_one_mail_is_lost_while_everything_is_killed_at_random() {
    let size = Size {
        reminders: 200,
        over: Duration::from_secs(10),
        blows: Blows { workers: 10, apis: 1, flushes: 1, redises: 1, postgreses: 0 },
        edited: 30,
        each: TOGETHER,
        patience: Duration::from_mins(2),
        watched: false,
    };
    let report = scenarios::random("T1, folded", seed(), size).await;
    println!("{report}");
    assert!(report.is_kept());
    assert!(report.verdict.folded > 0, "nothing was folded");
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_that_race_with_the_moment_at_which_it_is_due_lose_nothing() {
    let size = Size {
        reminders: 150,
        over: Duration::from_secs(6),
        blows: Blows::default(),
        edited: 100,
        each: APART,
        patience: Duration::from_mins(1),
        watched: false,
    };
    let report = scenarios::random("edits", seed(), size).await;
    println!("{report}");
    assert!(report.is_kept());
}
