use std::collections::BTreeMap;

/// Where one bucket ends and the next begins, in milliseconds. What comes before its time is the first; each other is two or two and a half times the one before, as far as clocks
/// are read like that.
const BOUNDS: [i64; 25] = [
    -1, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000,
    1_800_000, 3_600_000, 7_200_000, 18_000_000, 43_200_000, 86_400_000,
];

/// How late things were, counted by the millisecond.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lateness(BTreeMap<i64, u64>);

/// Those later than one bound and not later than the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Later than this; none for the first.
    pub over: Option<i64>,
    /// Not later than this; none for the last.
    pub up_to: Option<i64>,
    /// How many.
    pub count: u64,
}

impl Lateness {
    /// So many were late by so many milliseconds; less than none is early.
    pub fn add(&mut self, late_ms: i64, times: u64) {
        if times > 0 {
            *self.0.entry(late_ms).or_default() += times;
        }
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// How many of them came before their time.
    #[must_use]
    pub fn early(&self) -> u64 {
        self.0.range(..0).map(|(_, times)| times).sum()
    }

    /// The latest.
    #[must_use]
    pub fn max(&self) -> Option<i64> {
        self.0.keys().next_back().copied()
    }

    /// The smallest lateness that this share of them does not exceed (nearest rank): always one that there was.
    #[must_use]
    pub fn percentile(&self, share: f64) -> Option<i64> {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let wanted = (self.count() as f64 * share).max(f64::MIN_POSITIVE);
        let mut seen = 0;
        self.0.iter().find_map(|(late, times)| {
            seen += times;
            #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
            let enough = seen as f64 >= wanted;
            enough.then_some(*late)
        })
    }

    /// From the first bucket that has something to the last, those between them too.
    #[must_use]
    pub fn histogram(&self) -> Vec<Bucket> {
        let mut buckets: Vec<Bucket> = (0..=BOUNDS.len())
            .map(|place| Bucket {
                over: place.checked_sub(1).map(|at| BOUNDS[at]),
                up_to: BOUNDS.get(place).copied(),
                count: 0,
            })
            .collect();
        for (late, times) in &self.0 {
            buckets[BOUNDS.partition_point(|bound| bound < late)].count += times;
        }
        let first = buckets.iter().position(|bucket| bucket.count > 0).unwrap_or(buckets.len());
        let end = buckets.iter().rposition(|bucket| bucket.count > 0).map_or(first, |last| last + 1);
        buckets[first..end].to_vec()
    }
}

impl FromIterator<(i64, u64)> for Lateness {
    fn from_iter<I: IntoIterator<Item = (i64, u64)>>(counted: I) -> Self {
        let mut all = Self::default();
        counted.into_iter().for_each(|(late, times)| all.add(late, times));
        all
    }
}

impl FromIterator<i64> for Lateness {
    fn from_iter<I: IntoIterator<Item = i64>>(each: I) -> Self {
        each.into_iter().map(|late| (late, 1)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let hundred: Lateness = (1..=100).collect();
        let of = |share| hundred.percentile(share).unwrap();
        assert_eq!((of(0.0), of(0.5), of(0.95), of(0.99), of(0.999), of(1.0)), (1, 50, 95, 99, 100, 100));
        assert_eq!([7].into_iter().collect::<Lateness>().percentile(0.5), Some(7));
        assert_eq!(Lateness::default().percentile(0.5), None);
    }

    #[test]
    fn the_same_lateness_many_times_counts_many_times() {
        let mut late = Lateness::default();
        late.add(2, 999_000);
        late.add(60_000, 1_000);
        late.add(5, 0);
        assert_eq!((late.count(), late.percentile(0.999), late.percentile(0.9991)), (1_000_000, Some(2), Some(60_000)));
    }

    #[test]
    fn what_came_before_its_time_is_counted_by_itself() {
        let late: Lateness = [-3, 0, 4].into_iter().collect();
        assert_eq!((late.count(), late.early(), late.max()), (3, 1, Some(4)));
    }

    #[test]
    fn a_bound_belongs_to_the_bucket_that_it_ends() {
        let late: Lateness = [10, 11, 20, 21].into_iter().collect();
        let told: Vec<_> = late.histogram().into_iter().map(|b| (b.over, b.up_to, b.count)).collect();
        assert_eq!(told, [(Some(5), Some(10), 1), (Some(10), Some(20), 2), (Some(20), Some(50), 1)]);
    }

    #[test]
    fn both_ends_are_open_and_empty_buckets_between_are_kept() {
        let late: Lateness = [-5, i64::MAX].into_iter().collect();
        let all = late.histogram();
        assert_eq!((all.len(), all[0].over, all[25].up_to), (26, None, None));
        assert_eq!(all.iter().map(|bucket| bucket.count).sum::<u64>(), 2);
        assert_eq!(Lateness::default().histogram(), []);
    }
}
