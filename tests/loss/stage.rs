//! One world, hurt again and again: each time with one reminder.

use std::{ops::Range, time::Duration};

use harness::{
    eventually,
    verify::{
        Cast, Queue, World,
        checker::check,
        driver::{self, Fate, Load},
        journal::{Journals, Promise},
        process::Process,
    },
};
use tokio::task::JoinSet;

/// A world, its people, and what they were promised so far.
pub(crate) struct Stage {
    pub(crate) world: World,
    cast: Cast,
    promises: Vec<Promise>,
    asked: usize,
}

impl Stage {
    /// With an API that is not over the wire, until it is killed.
    pub(crate) async fn new(queue: Queue) -> (Self, Process) {
        let mut world = World::new(queue).await;
        let api = world.start_api().await;
        // Enough people for nobody to be told so much that it is folded.
        let cast = Cast::of(&world, 2, 40).await;
        (Self { world, cast, promises: Vec::new(), asked: 0 }, api)
    }

    /// Asks for reminders that are due soon; what is promised is known when the set is done.
    pub(crate) fn ask(&mut self, reminders: usize) -> JoinSet<Promise> {
        // Of many, the last waits until the others are answered.
        let ahead = if reminders > 1 { 2_000..3_000 } else { 700..900 };
        self.start(reminders, ahead, Vec::new())
    }

    /// Asks for one that is due in so many milliseconds.
    pub(crate) fn ask_ahead(&mut self, ahead: i64) -> JoinSet<Promise> {
        self.start(1, ahead..ahead + 100, Vec::new())
    }

    /// Asks for one that is moved so many milliseconds after it was due, by so many into the future.
    pub(crate) fn ask_moved(&mut self, at: i64, ahead: i64) -> JoinSet<Promise> {
        self.start(1, 700..900, vec![Fate::Moved { at, ahead }])
    }

    fn start(&mut self, reminders: usize, ahead: Range<i64>, fates: Vec<Fate>) -> JoinSet<Promise> {
        let load = Load {
            seed: rand::random(),
            first: self.asked,
            reminders,
            over: Duration::from_millis(u64::try_from(reminders).unwrap() * 20),
            ahead,
            edited: 0,
            fates,
            at_once: 4,
            shares: Vec::new(),
        };
        self.asked += reminders;
        driver::start(&self.world, &self.cast, &load)
    }

    /// Remembers what was promised.
    pub(crate) async fn promised(&mut self, asked: JoinSet<Promise>) {
        self.promises.extend(asked.join_all().await);
    }

    /// Waits until nothing is on its way. Pauses between tries are cut short.
    pub(crate) async fn settle(&self) {
        eventually("nothing is on its way", async || {
            self.world.end_pauses().await;
            self.world.settles(Duration::from_millis(300)).await.then_some(())
        })
        .await;
    }

    /// How many mails the mail server has taken, and how many there are without repeats.
    pub(crate) fn came(&self) -> (usize, usize) {
        let journal = self.world.smtp.journal();
        let mut ids: Vec<String> = journal.iter().map(|mail| mail.message_id()).collect();
        ids.sort_unstable();
        ids.dedup();
        (journal.len(), ids.len())
    }

    /// Compares everything, and leaves nothing behind if it is well.
    pub(crate) async fn end(self) {
        let owed = self.asked;
        self.end_with(owed).await;
    }

    /// The same where so many must have come.
    pub(crate) async fn end_with(self, owed: usize) {
        let verdict = check(&Journals::of(&self.world, self.promises).await);
        println!("{verdict}");
        assert!(verdict.is_clean(), "the logs are in {}", self.world.directory().display());
        assert_eq!(verdict.owed, owed, "all were promised");
        self.world.end().await;
    }
}
