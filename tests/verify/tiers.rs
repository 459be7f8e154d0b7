//! How big each row is in each tier, and what a run of a tier leaves behind.

use std::{fs, io, path::Path, time::Duration};

use serde_json::json;

use super::{
    report::Report,
    scenarios::{self, APART, Size, TOGETHER},
    strikes::Blows,
};

/// How long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// A quarter of an hour.
    Ci,
    /// Two hours.
    Full,
    /// A day.
    Soak,
}

/// What there is, in the order in which it runs.
pub const ROWS: [&str; 6] = ["T1", "T3", "T4", "T5", "T6", "T7"];

impl Tier {
    /// By its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Ci, Self::Full, Self::Soak].into_iter().find(|tier| tier.name() == name)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ci => "ci",
            Self::Full => "full",
            Self::Soak => "soak",
        }
    }

    /// Runs one row.
    ///
    /// # Panics
    /// When a server does not start.
    pub async fn run(self, row: &str, seed: u64) -> Vec<Report> {
        let is_full = self == Self::Full;
        let pick = |full: usize, ci: usize| if is_full { full } else { ci };
        let minutes = |full: u64, ci: u64| Duration::from_secs(if is_full { full * 60 } else { ci });
        let size = |reminders, over| Size {
            reminders,
            over,
            blows: Blows::default(),
            edited: 0,
            each: APART,
            patience: Duration::from_mins(20),
            watched: true,
        };
        match row {
            "T1" => {
                let blows = Blows {
                    workers: pick(1_000, 50),
                    apis: pick(200, 10),
                    flushes: pick(100, 5),
                    redises: pick(50, 3),
                    postgreses: pick(50, 3),
                };
                let size = Size { blows, edited: 20, ..size(pick(100_000, 5_000), minutes(35, 120)) };
                let together = Size { each: TOGETHER, reminders: size.reminders / 5, over: size.over / 5, ..size };
                vec![scenarios::random("T1", seed, size).await, scenarios::random("T1, folded", seed, together).await]
            }
            "T3" => vec![scenarios::without_redis("T3", seed, size(pick(10_000, 500), minutes(4, 12))).await],
            "T4" => vec![scenarios::steady("T4", seed, size(pick(90_000, 4_500), minutes(30, 90))).await],
            "T5" => scenarios::recovery(seed, size(pick(3_000, 600), minutes(2, 30)), pick(8, 3)).await,
            "T6" => vec![scenarios::same_second("T6", seed, size(pick(100_000, 5_000), Duration::ZERO)).await],
            "T7" => {
                let size = size(pick(90_000, 4_500), Duration::ZERO);
                vec![scenarios::large_and_small("T7", seed, size, pick(100, 20), pick(100, 25)).await]
            }
            _ => Vec::new(),
        }
    }

    /// For so many hours: ten reminders a second, and every five minutes something breaks.
    ///
    /// # Panics
    /// When a server does not start.
    pub async fn soak(seed: u64, hours: usize) -> Vec<Report> {
        let size = Size {
            reminders: 3_000,
            over: Duration::from_mins(5),
            blows: Blows::default(),
            edited: 10,
            each: APART,
            patience: Duration::from_mins(5),
            watched: true,
        };
        scenarios::soak(seed, size, scenarios::segments(hours, size.over)).await
    }

    /// Writes what was found: one file for programs, a drawing for each row.
    ///
    /// # Errors
    /// The file system's.
    pub fn write(self, directory: &Path, seed: u64, reports: &[Report]) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        let is_met = reports.iter().all(Report::is_met);
        let all = json!({ "tier": self.name(), "seed": seed, "kept": reports.iter().all(Report::is_kept), "met": is_met, "reports": reports });
        let name = format!("{}-{seed}", self.name());
        fs::write(directory.join(format!("{name}.json")), format!("{all:#}\n"))?;
        for (number, report) in reports.iter().enumerate() {
            let row: String = report.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
            fs::write(directory.join(format!("{name}-{number}-{row}.svg")), report.to_svg())?;
        }
        Ok(())
    }
}
