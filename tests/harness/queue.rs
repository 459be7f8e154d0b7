use std::future::poll_fn;

use apalis_core::{backend::Backend, worker::context::WorkerContext};
use redis::aio::MultiplexedConnection;

use crate::TestApp;

/// Looking at the list in Redis, and spoiling it.
impl TestApp {
    async fn redis(&self) -> MultiplexedConnection {
        redis::Client::open(self.redis_url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap()
    }

    fn key(&self) -> String {
        format!("{{{}}}:wakeups", self.namespace)
    }

    /// What waits in the list.
    pub async fn queued(&self) -> Vec<String> {
        redis::cmd("LRANGE").arg(self.key()).arg(0).arg(-1).query_async(&mut self.redis().await).await.unwrap()
    }

    /// Puts anything into the list.
    pub async fn push_raw(&self, values: &[&str]) {
        let () = redis::cmd("RPUSH").arg(self.key()).arg(values).query_async(&mut self.redis().await).await.unwrap();
    }

    /// Empties the whole Redis.
    pub async fn flushall(&self) {
        let () = redis::cmd("FLUSHALL").query_async(&mut self.redis().await).await.unwrap();
    }

    /// Reads the list as a worker does until ids are in hand, and closes it before any is started.
    pub async fn read_and_close(&self) {
        let worker = WorkerContext::new("a test");
        let mut wakeups = self.queue.receive(|| {});
        crate::eventually("ids are in hand", async || (self.queue.len().await.unwrap() < 100).then_some(())).await;
        let Ok(()) = poll_fn(|cx| wakeups.poll_close(cx, &worker)).await;
    }
}
