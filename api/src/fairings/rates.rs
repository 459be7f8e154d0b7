//! How many requests are let through, in this process: buckets for each address and each credential (docs/adr/0018). A fairing cannot
//! refuse, so `admission` asks here and takes the refused request's path away.

use std::{
    collections::HashMap,
    fmt::Write,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use common::{
    rates::{Rate, Rates},
    throttle::AddressBlock,
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    nanos::Nanos,
    state::StateStore,
};
use rocket::{Request, Response, http::Status};

use super::place::{Place, place};
use crate::{
    guards::{address, bearer},
    problem::Problem,
};

/// Whoever sends from more addresses than this, or with more credentials, is not remembered beyond: some megabytes are all
/// that a flood can take.
const MOST_BUCKETS: usize = 1 << 16;

/// The buckets of a deployment, among Rocket's state.
pub(super) struct Buckets {
    address: Option<Limit<AddressBlock, DefaultClock>>,
    credential: Option<Limit<[u8; 16], DefaultClock>>,
    policy: String,
}

/// One request's share: what is told of it.
#[derive(Debug, Default)]
struct Share {
    /// The value of `RateLimit`.
    left: String,
    /// Of which bucket there was nothing left, and for how many seconds.
    refused: Option<(&'static str, u64)>,
}

impl Buckets {
    pub(super) fn new(rates: Rates) -> Self {
        let address = rates.address.and_then(|rate| Limit::new("address", rate, DefaultClock::default()));
        let credential = rates.credential.and_then(|rate| Limit::new("credential", rate, DefaultClock::default()));
        let policies = [address.as_ref().map(Limit::policy), credential.as_ref().map(Limit::policy)];
        Self { address, credential, policy: policies.into_iter().flatten().collect::<Vec<_>>().join(", ") }
    }

    /// The address first: invented credentials must not fill the other buckets faster than it lets them.
    fn take(&self, request: &Request<'_>) -> Share {
        let mut share = Share::default();
        if let (Some(limit), Some(address)) = (&self.address, address(request)) {
            limit.take(&address.into(), &mut share);
        }
        if let (Some(limit), Ok(credential), None) = (&self.credential, bearer(request), share.refused) {
            let mut key = [0; 16];
            key.copy_from_slice(&credential.hash().as_bytes()[..16]);
            limit.take(&key, &mut share);
        }
        share
    }
}

/// The request's share, taken when it is first asked for.
fn share<'r>(request: &'r Request<'_>) -> &'r Share {
    request.local_cache(|| match request.rocket().state::<Buckets>() {
        Some(buckets) if place(request) != Place::Probe => buckets.take(request),
        _ => Share::default(),
    })
}

/// Counts a request.
///
/// # Errors
/// 429, when there was nothing left.
pub(super) fn count(request: &Request<'_>) -> Result<(), Problem> {
    share(request).refused.map_or(Ok(()), |(whose, wait)| {
        let detail = format!("Too many requests of this {whose}; wait {wait} s.");
        Err(Problem::new(Status::TooManyRequests, "rate_limited", detail).with("Retry-After", wait.to_string()))
    })
}

/// Whose bucket was empty, if one was.
pub(super) fn refused(request: &Request<'_>) -> Option<&'static str> {
    share(request).refused.map(|(whose, _)| whose)
}

/// Tells in an answer what is left (draft-ietf-httpapi-ratelimit-headers-11).
pub(super) fn tell(request: &Request<'_>, response: &mut Response<'_>) {
    let share = share(request);
    let Some(buckets) = request.rocket().state::<Buckets>().filter(|_| place(request) == Place::Api) else { return };
    if !share.left.is_empty() {
        response.set_raw_header("RateLimit", share.left.clone());
        response.set_raw_header("RateLimit-Policy", buckets.policy.clone());
    }
}

/// A bucket for each key.
struct Limit<K: Hash + Eq + Clone, C: Clock> {
    name: &'static str,
    rate: Rate,
    limiter: RateLimiter<K, Store<K>, C, StateInformationMiddleware>,
}

impl<K: Hash + Eq + Clone, C: Clock> Limit<K, C> {
    fn new(name: &'static str, rate: Rate, clock: C) -> Option<Self> {
        let quota = Quota::with_period(rate.seconds_each())?.allow_burst(rate.requests);
        Some(Self { name, rate, limiter: RateLimiter::new(quota, Store::default(), clock) })
    }

    fn policy(&self) -> String {
        format!("\"{}\";q={};w={}", self.name, self.rate.requests, self.rate.seconds)
    }

    /// Takes one, and adds to what is told: how much is left, and until when the bucket is full again; or, when there is nothing
    /// left, until when there is.
    fn take(&self, key: &K, share: &mut Share) {
        let (left, seconds) = match self.limiter.check_key(key) {
            Ok(after) => {
                let left = after.remaining_burst_capacity();
                let taken = self.rate.requests.get().saturating_sub(left);
                let refill = u64::from(taken) * u64::from(self.rate.seconds.get());
                (left, refill.div_ceil(u64::from(self.rate.requests.get())))
            }
            Err(until) => {
                let wait = until.wait_time_from(self.limiter.clock().now());
                let wait = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                share.refused = Some((self.name, wait.max(1)));
                (0, wait.max(1))
            }
        };
        let comma = if share.left.is_empty() { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(share.left, "{comma}\"{}\";r={left};t={seconds}", self.name);
    }
}

/// Governor's own stores grow without end. This one forgets: first the buckets that are full, which loses nothing; if
/// those were few, all, which lets everybody through once more. Either is paid for by the many requests that led to it.
struct Store<K>(Mutex<HashMap<K, Nanos>>);

impl<K> Default for Store<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq + Clone> StateStore for Store<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = buckets.get(key).copied();
        let (outcome, full_at) = measure(known)?;
        if known.is_none() && buckets.len() >= MOST_BUCKETS {
            // Of a bucket that is touched for the first time, this is one request after now.
            buckets.retain(|_, other| *other > full_at);
            if buckets.len() > MOST_BUCKETS / 2 {
                buckets.clear();
            }
        }
        buckets.insert(key.clone(), full_at);
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limit(rate: &str) -> (Limit<u32, FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Limit::new("test", rate.parse().unwrap(), clock.clone()).unwrap(), clock)
    }

    fn take(limit: &Limit<u32, FakeRelativeClock>, key: u32) -> (String, Option<u64>) {
        let mut share = Share::default();
        limit.take(&key, &mut share);
        (share.left, share.refused.map(|(_, wait)| wait))
    }

    #[test]
    fn a_bucket_empties_refuses_and_fills_by_and_by() {
        let (limit, clock) = limit("3/30");
        assert_eq!(limit.policy(), "\"test\";q=3;w=30");
        assert_eq!(take(&limit, 1), ("\"test\";r=2;t=10".to_owned(), None));
        assert_eq!(take(&limit, 1), ("\"test\";r=1;t=20".to_owned(), None));
        assert_eq!(take(&limit, 1), ("\"test\";r=0;t=30".to_owned(), None));
        assert_eq!(take(&limit, 1), ("\"test\";r=0;t=10".to_owned(), Some(10)));
        assert_eq!(take(&limit, 2), ("\"test\";r=2;t=10".to_owned(), None), "somebody else");
        clock.advance(Duration::from_millis(9_500));
        assert_eq!(take(&limit, 1).1, Some(1), "who waits is not counted, and waits no longer for asking");
        clock.advance(Duration::from_millis(500));
        assert_eq!(take(&limit, 1).1, None);
        clock.advance(Duration::from_mins(5));
        assert_eq!(take(&limit, 1), ("\"test\";r=2;t=10".to_owned(), None), "fuller than full it never is");
    }

    #[test]
    fn a_flood_of_keys_takes_no_more_memory_and_forgives_nobody_who_is_refused() {
        let (limit, clock) = limit("2/20");
        while take(&limit, 0).1.is_none() {}
        for key in 1..=300_000 {
            clock.advance(Duration::from_millis(1));
            take(&limit, key);
            if key % 1_000 == 0 {
                // Somebody who never stops.
                while take(&limit, 0).1.is_none() {}
            }
        }
        assert!(take(&limit, 0).1.is_some());
        assert!(limit.limiter.into_state_store().0.lock().unwrap().len() <= MOST_BUCKETS);
    }

    #[test]
    fn a_flood_that_fills_every_bucket_lets_everybody_through_rather_than_nobody() {
        let (limit, _) = limit("1/1000");
        for key in 0..=100_000 {
            assert_eq!(take(&limit, key).1, None);
        }
        assert!(limit.limiter.into_state_store().0.lock().unwrap().len() <= MOST_BUCKETS);
    }
}
