//! Many jobs, one statement: what arrives while a statement is on its way goes out together with the next one. Nobody waits for
//! company, and each job goes on only when its own part is committed.

use std::{pin::Pin, sync::Arc};

use common::{Error, Result};
use tokio::sync::{mpsc, oneshot};

/// What a statement takes at most.
const MOST: usize = 200;

type Work<'w, T> = Pin<Box<dyn Future<Output = T> + Send + 'w>>;

/// One kind of statement, and how it is done.
pub(super) trait Statement: Send + Sync + 'static {
    /// What it is done to.
    type Item: Clone + Send + Sync;
    /// What comes of it.
    type Outcome: Send;

    /// Many in one. None: this one has to be asked for by itself, since it would hold up the others.
    fn together<'w>(&'w self, items: &'w [Self::Item]) -> Work<'w, Result<Vec<Option<Self::Outcome>>>>;

    /// One by itself.
    fn alone<'w>(&'w self, item: &'w Self::Item) -> Work<'w, Result<Self::Outcome>>;
}

type Waiting<S> = (<S as Statement>::Item, oneshot::Sender<Result<<S as Statement>::Outcome>>);

/// Where jobs queue up for a statement.
pub(super) struct Lane<S: Statement>(mpsc::UnboundedSender<Waiting<S>>);

impl<S: Statement> Lane<S> {
    /// Works until the lane is dropped.
    pub(super) fn open(statement: S) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(run(Arc::new(statement), receiver));
        Self(sender)
    }

    /// Answers when it is done and committed.
    pub(super) async fn ask(&self, item: S::Item) -> Result<S::Outcome> {
        let (answer, answered) = oneshot::channel();
        // Neither happens but when the statement panicked.
        self.0.send((item, answer)).map_err(|_| Error::Busy)?;
        answered.await.map_err(|_| Error::Busy)?
    }
}

async fn run<S: Statement>(statement: Arc<S>, mut receiver: mpsc::UnboundedReceiver<Waiting<S>>) {
    let mut waiting = Vec::new();
    while receiver.recv_many(&mut waiting, MOST).await > 0 {
        let (items, answers): (Vec<_>, Vec<_>) = waiting.drain(..).unzip();
        // One that Postgres refuses, or that somebody else holds, must not cost the others anything.
        let outcomes = match statement.together(&items).await {
            Ok(outcomes) => outcomes,
            Err(_) => items.iter().map(|_| None).collect(),
        };
        for ((item, answer), outcome) in items.into_iter().zip(answers).zip(outcomes) {
            match outcome {
                // A job that does not wait any more has its reasons.
                Some(outcome) => drop(answer.send(Ok(outcome))),
                None => drop(tokio::spawn(alone(Arc::clone(&statement), item, answer))),
            }
        }
    }
}

async fn alone<S: Statement>(statement: Arc<S>, item: S::Item, answer: oneshot::Sender<Result<S::Outcome>>) {
    drop(answer.send(statement.alone(&item).await));
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Doubles; refuses a batch with a 13 in it, and lets a 7 wait for its own turn.
    struct Doubling(Mutex<Vec<usize>>, Arc<tokio::sync::Semaphore>);

    impl Statement for Doubling {
        type Item = u32;
        type Outcome = u32;

        fn together<'w>(&'w self, items: &'w [u32]) -> Work<'w, Result<Vec<Option<u32>>>> {
            Box::pin(async move {
                self.1.acquire().await.unwrap().forget();
                self.0.lock().unwrap().push(items.len());
                if items.contains(&13) {
                    return Err(Error::Busy);
                }
                Ok(items.iter().map(|item| (*item != 7).then_some(item * 2)).collect())
            })
        }

        fn alone<'w>(&'w self, item: &'w u32) -> Work<'w, Result<u32>> {
            Box::pin(async move { if *item == 13 { Err(Error::NotFound) } else { Ok(item * 2) } })
        }
    }

    async fn double(items: &[u32]) -> Vec<Option<u32>> {
        let gate = Arc::new(tokio::sync::Semaphore::new(0));
        let lane = Lane::open(Doubling(Mutex::default(), Arc::clone(&gate)));
        let asked: Vec<_> = items.iter().map(|item| lane.ask(*item)).collect();
        gate.add_permits(items.len());
        futures::future::join_all(asked).await.into_iter().map(Result::ok).collect()
    }

    #[tokio::test]
    async fn each_gets_its_own_answer() {
        assert_eq!(double(&[1, 2, 3]).await, [Some(2), Some(4), Some(6)]);
    }

    #[tokio::test]
    async fn one_that_is_refused_costs_the_others_nothing() {
        assert_eq!(double(&[1, 13, 3]).await, [Some(2), None, Some(6)]);
    }

    #[tokio::test]
    async fn one_that_is_held_by_somebody_is_asked_for_by_itself() {
        assert_eq!(double(&[1, 7]).await, [Some(2), Some(14)]);
    }

    #[tokio::test]
    async fn what_arrives_while_a_statement_is_on_its_way_goes_out_together() {
        let gate = Arc::new(tokio::sync::Semaphore::new(0));
        let statement = Arc::new(Doubling(Mutex::default(), Arc::clone(&gate)));
        let (sender, receiver) = mpsc::unbounded_channel();
        let ask = |item: u32| {
            let (answer, answered) = oneshot::channel();
            sender.send((item, answer)).unwrap();
            answered
        };
        let lane = tokio::spawn(run(Arc::clone(&statement), receiver));
        let first = ask(1);
        tokio::task::yield_now().await;
        let rest: Vec<_> = (2..50).map(ask).collect();
        gate.add_permits(2);
        assert_eq!(first.await.unwrap().unwrap(), 2);
        futures::future::join_all(rest).await;
        drop(sender);
        lane.await.unwrap();
        assert_eq!(*statement.0.lock().unwrap(), [1, 48]);
    }
}
