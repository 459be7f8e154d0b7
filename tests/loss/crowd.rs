//! Many at once, at a size for every day; `verify` does it at length.

use std::time::Duration;

use harness::verify::{
    scenarios::{self, APART, Size},
    strikes::Blows,
};

fn of(reminders: usize) -> Size {
    Size {
        reminders,
        over: Duration::ZERO,
        blows: Blows::default(),
        edited: 0,
        each: APART,
        patience: Duration::from_mins(1),
        watched: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_are_due_in_the_same_second_are_all_sent() {
    let report = scenarios::same_second("T6", rand::random(), of(400)).await;
    println!("{report}");
    assert!(report.is_kept());
    assert_eq!(report.verdict.owed, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn small_organizations_and_a_large_one_that_are_due_at_once_lose_nothing() {
    let report = scenarios::large_and_small("T7", rand::random(), of(300), 10, 5).await;
    println!("{report}");
    assert!(report.is_kept());
    assert_eq!(report.verdict.owed, 350);
}
