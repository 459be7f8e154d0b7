//! A gate before work that takes a core and memory: some may work, some may wait, the rest is told to come back.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
    time::timeout,
};

use super::internal;
use crate::error::Error;

/// Lets a number of jobs run at a time, a number of them wait for a while, and no more.
#[derive(Debug)]
pub(crate) struct Gate {
    slots: Arc<Semaphore>,
    /// Everybody inside, at work or waiting.
    room: Arc<Semaphore>,
    patience: Duration,
}

impl Gate {
    /// `slots` at work, `waiting` for each of them in line, nobody for longer than `patience`.
    pub(crate) fn new(slots: usize, waiting: usize, patience: Duration) -> Self {
        let room = slots + slots * waiting;
        Self { slots: Arc::new(Semaphore::new(slots)), room: Arc::new(Semaphore::new(room)), patience }
    }

    /// Runs `work` on a thread that may block.
    ///
    /// # Errors
    /// [`Error::Busy`], at once when the line is full and after `patience` when it is slow; what `work` says.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let pass = self.enter().await?;
        let job = move || {
            // Work goes on when nobody waits for it any more, and keeps its slot until it is done.
            let _pass = pass;
            work()
        };
        spawn_blocking(job).await.map_err(internal)?
    }

    async fn enter(&self) -> Result<Pass, Error> {
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| Error::Busy)?;
        let slot = timeout(self.patience, Arc::clone(&self.slots).acquire_owned());
        let slot = slot.await.map_err(|_| Error::Busy)?.map_err(internal)?;
        Ok(Pass { _slot: slot, _room: room })
    }
}

/// A place at work. The slot is given back first, so that whoever finds room finds a line that moves.
#[derive(Debug)]
struct Pass {
    _slot: OwnedSemaphorePermit,
    _room: OwnedSemaphorePermit,
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, sync::mpsc};

    use futures::FutureExt;

    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn when_slots_and_line_are_full_the_next_is_told_at_once() {
        let gate = Gate::new(2, 1, LONG);
        let (one, _other) = (gate.enter().await.unwrap(), gate.enter().await.unwrap());
        let (mut first, mut second) = (pin!(gate.enter()), pin!(gate.enter()));
        assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none(), "they wait");
        assert!(matches!(gate.enter().now_or_never(), Some(Err(Error::Busy))));
        drop(one);
        let first = first.await.unwrap();
        assert!(second.as_mut().now_or_never().is_none(), "in the order they came");
        let mut third = Box::pin(gate.enter());
        assert!(third.as_mut().now_or_never().is_none(), "there is room again");
        drop(third);
        let fourth = pin!(gate.enter());
        assert!(fourth.now_or_never().is_none(), "who leaves the line makes room");
        drop(first);
        let _ = second.await.unwrap();
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_patience() {
        let gate = Gate::new(1, 8, Duration::ZERO);
        let held = gate.enter().await.unwrap();
        assert!(matches!(gate.enter().await, Err(Error::Busy)));
        drop(held);
        assert!(gate.enter().await.is_ok());
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_keeps_its_slot_until_it_is_done() {
        let gate = Gate::new(1, 1, LONG);
        let ((begin, started), (go, wait)) = (mpsc::channel(), mpsc::channel::<()>());
        let mut left = Box::pin(gate.run(move || {
            begin.send(()).map_err(internal)?;
            wait.recv().map_err(internal)
        }));
        assert!(left.as_mut().now_or_never().is_none());
        drop(left);
        started.recv().unwrap();
        let mut next = pin!(gate.enter());
        assert!(next.as_mut().now_or_never().is_none(), "the abandoned one still works");
        go.send(()).unwrap();
        assert!(next.await.is_ok());
    }

    #[tokio::test]
    async fn work_that_fails_or_panics_gives_its_slot_back() {
        let gate = Gate::new(1, 1, LONG);
        assert!(matches!(gate.run::<()>(|| Err(Error::NotFound)).await, Err(Error::NotFound)));
        assert!(matches!(gate.run::<()>(|| panic!("on purpose")).await, Err(Error::Internal(_))));
        assert_eq!(gate.run(|| Ok(7)).await.unwrap(), 7);
    }
}
