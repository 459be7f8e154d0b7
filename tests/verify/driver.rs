//! The load: tasks with reminders, made through the API while things break, and what happens to some of them.

use std::{ops::Range, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep_until},
};
use uuid::Uuid;

use super::{
    Cast, Client, Org, Person, World,
    cast::marker,
    journal::{Occurrence, Promise, Withdrawn},
    now,
    watch::Gauge,
};

/// What is to be asked for.
#[derive(Clone, Debug)]
pub struct Load {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// The number of the first task: those of one world differ.
    pub first: usize,
    /// Tasks, each with a reminder.
    pub reminders: usize,
    /// Within this time, evenly.
    pub over: Duration,
    /// Milliseconds from the request to the time of the reminder.
    pub ahead: Range<i64>,
    /// Of a hundred reminders, how many are changed around the time at which they are due.
    pub edited: u32,
    /// What happens to the first ones, whatever chance says.
    pub fates: Vec<Fate>,
    /// Requests at the same time.
    pub at_once: usize,
    /// How many for each organization, one after the other; empty: by chance.
    pub shares: Vec<usize>,
}

/// What somebody does to a task, and when: milliseconds after its reminder is due, or before.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// Nothing.
    Stands,
    /// It is completed.
    Completed(i64),
    /// It is deleted.
    Deleted(i64),
    /// Nobody is assigned any more.
    Unassigned(i64),
    /// It gets another due value.
    Moved {
        /// When.
        at: i64,
        /// How far ahead the new one is then.
        ahead: i64,
    },
}

struct Plan {
    number: usize,
    org: Org,
    person: Person,
    asked: Duration,
    ahead: i64,
    fate: Fate,
}

/// Does it all; gives what was promised. Returns when the last outcome is known.
///
/// # Panics
/// When a request is refused that should not be.
pub async fn run(world: &World, cast: &Cast, load: &Load) -> Vec<Promise> {
    start(world, cast, load).join_all().await
}

/// The same, to be waited for later: what each task ends with is what was promised.
///
/// # Panics
/// As [`run`].
#[must_use]
pub fn start(world: &World, cast: &Cast, load: &Load) -> JoinSet<Promise> {
    let client = Client::of(world, &cast.orgs[0].owner);
    let (begun, places) = (Instant::now(), Arc::new(Semaphore::new(load.at_once)));
    let mut running = JoinSet::new();
    for plan in plans(cast, load) {
        let (client, places, gauge) = (client.with(&plan.org.owner), Arc::clone(&places), Arc::clone(&world.gauge));
        running.spawn(async move {
            sleep_until(begun + plan.asked).await;
            live(&client, &places, &gauge, plan).await
        });
    }
    running
}

fn plans(cast: &Cast, load: &Load) -> Vec<Plan> {
    let mut chance = StdRng::seed_from_u64(load.seed);
    let mut shares = load.shares.iter().enumerate().flat_map(|(org, share)| std::iter::repeat_n(org, *share));
    let mut plan = |number: usize| {
        let by_chance = chance.random_range(0..cast.orgs.len());
        let org = &cast.orgs[shares.next().unwrap_or(by_chance)];
        let around = chance.random_range(-2_000..2_000);
        let by_chance = match (chance.random_range(0..100) < load.edited, chance.random_range(0..4)) {
            (false, _) => Fate::Stands,
            (true, 0) => Fate::Completed(around),
            (true, 1) => Fate::Deleted(around),
            (true, 2) => Fate::Unassigned(around),
            (true, _) => Fate::Moved { at: around, ahead: chance.random_range(load.ahead.clone()) },
        };
        let fate = load.fates.get(number - load.first).copied().unwrap_or(by_chance);
        Plan {
            number,
            org: Org { members: Vec::new(), ..org.clone() },
            person: org.members[chance.random_range(0..org.members.len())].clone(),
            asked: load.over.mul_f64(chance.random()),
            ahead: chance.random_range(load.ahead.clone()),
            fate,
        }
    };
    (load.first..load.first + load.reminders).map(&mut plan).collect()
}

async fn live(client: &Client, places: &Semaphore, gauge: &Gauge, plan: Plan) -> Promise {
    let Plan { number, org, person, ahead, fate, .. } = plan;
    let marker = marker("zt", number);
    let path = format!("/v1/orgs/{}/tasks", org.slug);
    let place = places.acquire().await.unwrap();
    let due_at = soon(ahead);
    let new = json!({
        "project": org.project, "title": format!("Task {marker}"), "assignees": [person.id], "due": { "at": due_at },
        "reminders": [{ "when": { "offset": "PT0S" }, "to": "assignees" }],
    });
    let answer = client.post(&path, &new).await;
    drop(place);
    gauge.promise();
    let mut promise =
        Promise { marker, org: org.marker, person: person.marker, email: person.email, occurrences: Vec::new() };
    if answer.answered_at.is_none() {
        promise.occurrences.push(Occurrence { delivery: None, due_at, acknowledged: None, withdrawn: None });
        return promise;
    }
    assert_eq!(answer.status, 201, "{}", answer.body);
    let task = format!("{path}/{}", answer.body["id"].as_str().unwrap());
    promise.occurrences.extend(planned(&answer.body, answer.answered_at));
    let (Fate::Completed(at) | Fate::Deleted(at) | Fate::Unassigned(at) | Fate::Moved { at, .. }) = fate else {
        return promise;
    };
    wait_until(due_at, at).await;
    let _place = places.acquire().await.unwrap();
    let answer = match fate {
        Fate::Completed(_) => client.put(&format!("{task}/completion")).await,
        Fate::Deleted(_) => client.delete(&task).await,
        Fate::Unassigned(_) => client.patch(&task, &json!({ "assignees": [] })).await,
        Fate::Stands | Fate::Moved { .. } => return moved(client, &org.slug, &task, promise, fate).await,
    };
    let withdrawn = Withdrawn { asked_at: answer.asked_at, acknowledged: answer.answered_at };
    // Asked again after it had been done, a deletion finds nothing.
    assert!(answer.is_done() || answer.tries > 1, "{}: {}", answer.status, answer.body);
    promise.occurrences.iter_mut().for_each(|occurrence| occurrence.withdrawn = Some(withdrawn));
    promise
}

/// Another due value: what was planned is taken back, and something else is promised.
async fn moved(client: &Client, org: &str, task: &str, mut promise: Promise, fate: Fate) -> Promise {
    let Fate::Moved { ahead, .. } = fate else { return promise };
    let due_at = soon(ahead);
    let answer = client.patch(task, &json!({ "due": { "at": due_at } })).await;
    let withdrawn = Withdrawn { asked_at: answer.asked_at, acknowledged: answer.answered_at };
    promise.occurrences.iter_mut().for_each(|occurrence| occurrence.withdrawn = Some(withdrawn));
    let told = planned(&answer.body, answer.answered_at);
    match (answer.is_done(), told) {
        (true, Some(told)) => promise.occurrences.push(told),
        // It was done by a try whose answer was lost: then nothing has changed by this one, and the log tells.
        (true, None) if answer.tries > 1 => {
            let id = task.rsplit('/').next().unwrap_or_default();
            let listed = client.get(&format!("/v1/orgs/{org}/deliveries?task={id}")).await;
            let found =
                listed.body["data"].as_array().into_iter().flatten().find(|item| at(&item["due_at"]) == Some(due_at));
            let delivery = found.and_then(|item| id_of(&item["id"]));
            let acknowledged = delivery.and(listed.answered_at);
            promise.occurrences.push(Occurrence { delivery, due_at, acknowledged, withdrawn: None });
        }
        // Skipped: it was past already.
        (true, None) => {}
        (false, _) => {
            promise.occurrences.push(Occurrence { delivery: None, due_at, acknowledged: None, withdrawn: None });
        }
    }
    promise
}

/// What an answer promises.
fn planned(answer: &Value, acknowledged: Option<Timestamp>) -> Option<Occurrence> {
    let plan = answer["reminders"].as_array()?.first()?["plan"].as_array()?.first()?;
    let delivery = id_of(&plan["delivery_id"])?;
    Some(Occurrence { delivery: Some(delivery), due_at: at(&plan["due_at"])?, acknowledged, withdrawn: None })
}

fn id_of(value: &Value) -> Option<Uuid> {
    value.as_str()?.parse().ok()
}

fn at(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// To the millisecond, which Postgres keeps.
fn soon(ahead: i64) -> Timestamp {
    Timestamp::from_millisecond(now().as_millisecond() + ahead).unwrap()
}

async fn wait_until(due_at: Timestamp, after: i64) {
    let then = due_at.checked_add(SignedDuration::from_millis(after)).unwrap();
    let wait = then.duration_since(now());
    tokio::time::sleep(Duration::try_from(wait).unwrap_or_default()).await;
}
