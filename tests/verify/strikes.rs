//! What breaks, when, and what was on its way at that moment.

use std::time::Duration;

use jiff::Timestamp;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde::Serialize;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use super::{World, now, process::Process};

/// Something that breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Blow {
    /// `kill -9` of a worker; another one starts.
    KillWorker,
    /// `kill -9` of the API; it starts again.
    KillApi,
    /// Redis forgets everything.
    FlushAll,
    /// Redis is killed; it comes back empty.
    KillRedis,
    /// Postgres is stopped at once; it recovers.
    StopPostgres,
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default)]
pub struct Blows {
    /// See [`Blow::KillWorker`].
    pub workers: usize,
    /// See [`Blow::KillApi`].
    pub apis: usize,
    /// See [`Blow::FlushAll`].
    pub flushes: usize,
    /// See [`Blow::KillRedis`].
    pub redises: usize,
    /// See [`Blow::StopPostgres`].
    pub postgreses: usize,
}

/// One that fell.
#[derive(Clone, Debug, Serialize)]
pub struct Strike {
    /// Which.
    pub blow: Blow,
    /// When it fell.
    pub at: Timestamp,
    /// When what was broken stood again.
    pub mended_at: Timestamp,
    /// Mails that the victim had claimed, not yet sending.
    pub claimed: Vec<Uuid>,
    /// Mails that the victim was sending: each may come twice.
    pub sending: Vec<Uuid>,
}

/// The processes that are struck.
pub struct Victims {
    /// The one API.
    pub api: Process,
    /// Workers.
    pub workers: Vec<Process>,
}

impl Blows {
    /// When each falls, in order: everything by the seed.
    #[must_use]
    pub fn schedule(&self, seed: u64, over: Duration) -> Vec<(Duration, Blow)> {
        let mut chance = StdRng::seed_from_u64(seed ^ 0x5744);
        let mut schedule: Vec<(Duration, Blow)> = Vec::new();
        for (blow, count) in self.counts() {
            schedule.extend((0..count).map(|_| (over.mul_f64(chance.random()), blow)));
        }
        schedule.sort();
        schedule
    }

    /// One after the other, as far from each other as can be: each is to be recovered from by itself.
    #[must_use]
    pub fn spaced(&self, over: Duration) -> Vec<(Duration, Blow)> {
        let blows: Vec<Blow> =
            self.counts().into_iter().flat_map(|(blow, count)| std::iter::repeat_n(blow, count)).collect();
        let each = over / u32::try_from(blows.len() + 1).unwrap_or(u32::MAX);
        (1..).zip(blows).map(|(number, blow)| (each * number, blow)).collect()
    }

    /// How many in all.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counts().iter().map(|(_, count)| count).sum()
    }

    /// Whether nothing breaks.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn counts(&self) -> [(Blow, usize); 5] {
        [
            (Blow::KillWorker, self.workers),
            (Blow::KillApi, self.apis),
            (Blow::FlushAll, self.flushes),
            (Blow::KillRedis, self.redises),
            (Blow::StopPostgres, self.postgreses),
        ]
    }
}

/// Lets them fall, one after the other; a blow whose time has come while another is mended falls next.
pub async fn strike(world: &mut World, victims: &mut Victims, seed: u64, schedule: &[(Duration, Blow)]) -> Vec<Strike> {
    let (begun, mut chance) = (Instant::now(), StdRng::seed_from_u64(seed ^ 0x6b69));
    let mut strikes = Vec::with_capacity(schedule.len());
    for (at, blow) in schedule {
        sleep_until(begun + *at).await;
        let victim = *[0, 1].choose(&mut chance).unwrap_or(&0) % victims.workers.len();
        strikes.push(fall(world, victims, *blow, victim).await);
        world.gauge.strike();
    }
    strikes
}

/// One of them.
pub(super) async fn fall(world: &mut World, victims: &mut Victims, blow: Blow, victim: usize) -> Strike {
    let at = now();
    let (mut claimed, mut sending) = (Vec::new(), Vec::new());
    match blow {
        Blow::KillWorker => {
            let worker = &mut victims.workers[victim];
            let pid = worker.pid();
            worker.kill().await;
            (claimed, sending) = in_hand(world, pid).await;
            victims.workers[victim] = world.start_worker().await;
        }
        Blow::KillApi => {
            victims.api.kill().await;
            victims.api = world.start_api().await;
        }
        Blow::FlushAll => {
            world.redis_command(&["FLUSHALL"]).await;
        }
        Blow::KillRedis => {
            if let Some(redis) = &mut world.redis {
                redis.kill().await.unwrap();
                sleep(Duration::from_millis(500)).await;
                redis.restart().await.unwrap();
            }
        }
        Blow::StopPostgres => {
            world.postgres.stop_at_once().await.unwrap();
            world.postgres.restart().await.unwrap();
        }
    }
    Strike { blow, at, mended_at: now(), claimed, sending }
}

/// What a dead worker had in its hands: nobody changes that before its lease is over, but for what Postgres is still doing for it. So it is
/// looked at until it stays as it is.
async fn in_hand(world: &World, pid: Option<u32>) -> (Vec<Uuid>, Vec<Uuid>) {
    let of_it = format!("%/{}/%", pid.unwrap_or_default());
    let look = async || -> Vec<(Uuid, String)> {
        let held = "select id, state from mails where state in ('claimed', 'sending') and worker like $1 order by id";
        sqlx::query_as(held).bind(&of_it).fetch_all(&world.admin).await.unwrap()
    };
    let mut rows = look().await;
    loop {
        sleep(Duration::from_millis(100)).await;
        let again = look().await;
        if again == rows {
            break;
        }
        rows = again;
    }
    let of = |wanted: &str| rows.iter().filter(|(_, state)| state == wanted).map(|(id, _)| *id).collect();
    (of("claimed"), of("sending"))
}
