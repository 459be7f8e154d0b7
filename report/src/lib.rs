//! How late mail was: percentiles, a histogram and counts, as JSON and as a drawing. Pure: who asks brings the figures.

mod drawing;
mod lateness;
mod words;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use lateness::{Bucket, Lateness};
pub use words::duration;

/// The percentiles that a report tells, with their names.
const TOLD: [(&str, f64); 5] = [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999)];

/// What is drawn, and written as JSON.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The heading.
    pub title: String,
    /// Of what, and since when: the line below.
    pub about: String,
    /// What was sent, and how late.
    pub lateness: Lateness,
    /// How many came to which end, what was sent among them.
    pub outcomes: BTreeMap<String, u64>,
}

impl Report {
    /// The report for programs. Times are milliseconds.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let late = &self.lateness;
        let percentiles = TOLD.iter().map(|(name, share)| ((*name).to_owned(), json!(late.percentile(*share))));
        let bucket =
            |bucket: Bucket| json!({ "over_ms": bucket.over, "up_to_ms": bucket.up_to, "count": bucket.count });
        json!({
            "title": self.title,
            "about": self.about,
            "count": late.count(),
            "early": late.early(),
            "late_ms": percentiles.chain([("max".to_owned(), json!(late.max()))]).collect::<serde_json::Map<_, _>>(),
            "histogram": late.histogram().into_iter().map(bucket).collect::<Vec<_>>(),
            "outcomes": self.outcomes,
        })
    }

    /// The report for people: an SVG that follows the reader's choice of light or dark.
    #[must_use]
    pub fn to_svg(&self) -> String {
        drawing::draw(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_as_json_tells_percentiles_counts_and_each_bucket() {
        let report = Report {
            title: "Lateness".into(),
            about: "since yesterday".into(),
            lateness: [(3, 98), (40, 1), (1500, 1)].into_iter().collect(),
            outcomes: [("sent".to_owned(), 100), ("dead".to_owned(), 2)].into(),
        };
        let json = report.to_json();
        assert_eq!(json["count"], 100);
        assert_eq!(json["early"], 0);
        assert_eq!(json["late_ms"], json!({ "p50": 3, "p90": 3, "p95": 3, "p99": 40, "p99.9": 1500, "max": 1500 }));
        assert_eq!(json["histogram"][0], json!({ "over_ms": 2, "up_to_ms": 5, "count": 98 }));
        assert_eq!(json["outcomes"], json!({ "sent": 100, "dead": 2 }));
    }

    #[test]
    fn a_report_of_nothing_says_that_there_was_nothing() {
        let report = Report::default();
        assert_eq!(report.to_json()["late_ms"]["p99"], Value::Null);
        assert!(report.to_svg().contains("nothing was sent"), "{}", report.to_svg());
    }
}
