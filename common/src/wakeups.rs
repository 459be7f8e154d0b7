//! The queue between API and worker: a Redis list of mail ids behind apalis' own `Backend` (docs/adr/0001).
//!
//! Redis holds hints, never truth. Losing it loses no mail: what it forgets, the sweep finds in Postgres. So nothing here ever
//! returns an error to apalis, for which an error is the end of the worker and of the jobs it runs.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::{
        Task,
        builder::TaskBuilder,
        task_id::{RandomId, TaskId},
    },
    worker::context::WorkerContext,
};
use futures::future::{BoxFuture, FutureExt};
use redis::{
    AsyncConnectionConfig, Client, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tracing::{info, warn};
use url::Url;

use crate::ids::MailId;

/// How many ids one command carries.
const CHUNK: usize = 500;
/// How many ids one read takes: few, since what a worker holds in its hands is lost with it (and swept up later).
const GRASP: usize = 8;
/// How long the reader rests after a first failure; each further one doubles it, up to a second.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
/// How long a read waits for an id.
const BLOCK: Duration = Duration::from_secs(1);

/// The list, for those who push. Cheap to clone.
#[derive(Clone)]
pub struct Queue {
    client: Client,
    manager: ConnectionManager,
    key: Arc<str>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queue(…)")
    }
}

impl Queue {
    /// Over a Redis that need not be there yet: it is connected to when it is needed, and again when it is lost.
    /// Deployments that share one differ in their `namespace`.
    ///
    /// # Errors
    /// When the URL is none.
    pub fn open(url: &Url, namespace: &str) -> RedisResult<Self> {
        let client = Client::open(url.as_str())?;
        // Nothing waits for Redis: a slow answer is no answer.
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(Duration::from_millis(300)))
            .set_connection_timeout(Some(Duration::from_millis(500)))
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(500));
        let manager = ConnectionManager::new_lazy_with_config(client.clone(), config)?;
        // The braces keep it in one slot of a cluster, whatever stands beside it one day.
        Ok(Self { client, manager, key: format!("{{{namespace}}}:wakeups").into() })
    }

    /// Appends ids.
    ///
    /// # Errors
    /// Redis' own; the ids are then found by the sweep.
    pub async fn push(&self, ids: &[MailId]) -> RedisResult<()> {
        for chunk in ids.chunks(CHUNK) {
            let ids: Vec<String> = chunk.iter().map(ToString::to_string).collect();
            let () = redis::cmd("RPUSH").arg(&*self.key).arg(ids).query_async(&mut self.manager.clone()).await?;
        }
        Ok(())
    }

    /// How many ids wait.
    ///
    /// # Errors
    /// Redis' own.
    pub async fn len(&self) -> RedisResult<usize> {
        redis::cmd("LLEN").arg(&*self.key).query_async(&mut self.manager.clone()).await
    }

    /// The list, for the one worker of this process; `pulse` is called after each read.
    #[must_use]
    pub fn receive(&self, pulse: impl Fn() + Send + Sync + 'static) -> Wakeups {
        let (sender, receiver) = mpsc::channel(GRASP);
        let (stop, stopped) = watch::channel(false);
        let reader = Reader { queue: self.clone(), sender: sender.clone(), stopped, pulse: Arc::new(pulse) };
        Wakeups { queue: self.clone(), sender, receiver, stop, reader: Some(tokio::spawn(reader.run())), closing: None }
    }
}

/// apalis' view of the list: a stream of mail ids that never fails.
pub struct Wakeups {
    queue: Queue,
    sender: mpsc::Sender<MailId>,
    receiver: mpsc::Receiver<MailId>,
    stop: watch::Sender<bool>,
    reader: Option<JoinHandle<Vec<MailId>>>,
    closing: Option<BoxFuture<'static, ()>>,
}

impl std::fmt::Debug for Wakeups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wakeups(…)")
    }
}

impl Wakeups {
    /// Where the sweep puts ids that Redis has lost: the bypass.
    #[must_use]
    pub fn bypass(&self) -> mpsc::Sender<MailId> {
        self.sender.clone()
    }

    /// What a stop sends `true` to. apalis closes the queue only when all running jobs have ended; until then a reader that
    /// has not been told would go on taking ids that nobody is going to start.
    #[must_use]
    pub fn stop(&self) -> watch::Sender<bool> {
        self.stop.clone()
    }

    /// Gives back what was read and not started, after the read in flight has come home: else each stop would lose one
    /// (tests/worker/queue.rs: `a_stop_gives_back_every_id_it_had_not_started`).
    fn close(&mut self) -> BoxFuture<'static, ()> {
        self.stop.send_replace(true);
        self.receiver.close();
        let mut unstarted = Vec::new();
        while let Ok(id) = self.receiver.try_recv() {
            unstarted.push(id);
        }
        let (reader, queue) = (self.reader.take(), self.queue.clone());
        async move {
            if let Some(Ok(in_hand)) = futures::future::OptionFuture::from(reader).await {
                unstarted.extend(in_hand);
            }
            if let Err(fault) = queue.push(&unstarted).await {
                info!(%fault, ids = unstarted.len(), "unstarted ids could not be given back; the sweep will find them");
            }
        }
        .boxed()
    }
}

impl Backend for Wakeups {
    type Task = Task<MailId>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, _: &WorkerContext) -> Poll<Option<Result<Self::Task, Infallible>>> {
        self.receiver
            .poll_recv(cx)
            .map(|id| id.map(|id| Ok(TaskBuilder::new(id).task_id(TaskId::from_string(id.to_string())).build())))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        let mut closing = self.closing.take().unwrap_or_else(|| self.close());
        let poll = closing.poll_unpin(cx).map(Ok);
        self.closing = Some(if poll.is_ready() { std::future::ready(()).boxed() } else { closing });
        poll
    }
}

impl BackendConfig for Wakeups {
    type Args = MailId;
    type Id = RandomId;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = tower_layer::Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Self::Layer {
        tower_layer::Identity::new()
    }
}

/// Reads the list on a connection of its own, since a blocking read would hold up every other command.
struct Reader {
    queue: Queue,
    sender: mpsc::Sender<MailId>,
    stopped: watch::Receiver<bool>,
    pulse: Arc<dyn Fn() + Send + Sync>,
}

impl Reader {
    /// Until stopped; returns the ids that nobody took.
    async fn run(self) -> Vec<MailId> {
        let mut pause = SHORTEST_PAUSE;
        let mut connection = None;
        while !*self.stopped.borrow() {
            let read = self.read(&mut connection).await;
            (self.pulse)();
            match read {
                Ok(ids) => {
                    pause = SHORTEST_PAUSE;
                    let mut ids = ids.into_iter();
                    while let Some(id) = ids.next() {
                        if !self.hand_over(id).await {
                            return std::iter::once(id).chain(ids).collect();
                        }
                    }
                }
                Err(fault) => {
                    // Once per outage, however long it lasts.
                    if pause == SHORTEST_PAUSE {
                        warn!(%fault, "the wake-up queue cannot be read; due mail is found without it");
                    }
                    connection = None;
                    sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
            }
        }
        Vec::new()
    }

    /// Waits for a place, however long the worker is busy; a reader that waits is well, and says so. False: nobody takes ids
    /// any more.
    async fn hand_over(&self, id: MailId) -> bool {
        loop {
            match timeout(BLOCK, self.sender.reserve()).await {
                Ok(Ok(place)) => {
                    place.send(id);
                    return true;
                }
                Ok(Err(_)) => return false,
                Err(_) => (self.pulse)(),
            }
        }
    }

    async fn read(&self, connection: &mut Option<redis::aio::MultiplexedConnection>) -> RedisResult<Vec<MailId>> {
        if connection.is_none() {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(BLOCK))
                // Longer than the read blocks, or an idle queue would look like a dead one.
                .set_response_timeout(Some(BLOCK * 3));
            *connection = Some(self.queue.client.get_multiplexed_async_connection_with_config(&config).await?);
        }
        let Some(connection) = connection else { return Ok(Vec::new()) };
        let read: Option<(String, Vec<String>)> = redis::cmd("BLMPOP")
            .arg(BLOCK.as_secs())
            .arg(1)
            .arg(&*self.queue.key)
            .arg("LEFT")
            .arg("COUNT")
            .arg(GRASP)
            .query_async(connection)
            .await?;
        // What is no id was not put there by us, and wakes nobody.
        Ok(read.map(|(_, ids)| ids.iter().filter_map(|id| id.parse().ok()).collect()).unwrap_or_default())
    }
}
