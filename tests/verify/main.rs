//! `verify`: what is promised, verified at length (docs/verification.md). Also the processes that a verification kills.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use harness::verify::{
    mutants,
    process::{Role, be},
    report::Report,
    tiers::{ROWS, Tier},
};

const USAGE: &str = "\
cargo run --release -p tests --bin verify -- ci|full [--seed N] [T1] [T3] [T4] [T5] [T6] [T7]
cargo run --release -p tests --bin verify -- soak [--seed N] [--hours N]
cargo run -p tests --bin verify -- mutants [NAME …]";

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some("api") => be(Role::Api).await,
        Some("worker") => be(Role::Worker).await,
        Some("mutants") if !mutants::run(&checkout(), &words[1..]).await => return ExitCode::FAILURE,
        Some("mutants") => {}
        _ => {
            if let Some(asked) = Asked::of(&words) {
                return asked.run().await;
            }
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What is to be verified.
struct Asked {
    tier: Tier,
    seed: u64,
    hours: usize,
    rows: Vec<String>,
}

impl Asked {
    fn of(words: &[String]) -> Option<Self> {
        let (tier, rest) = words.split_first()?;
        let mut asked = Self { tier: Tier::named(tier)?, seed: rand::random(), hours: 24, rows: Vec::new() };
        let mut rest = rest.iter();
        while let Some(word) = rest.next() {
            match word.as_str() {
                "--seed" => asked.seed = rest.next()?.parse().ok()?,
                "--hours" => asked.hours = rest.next()?.parse().ok()?,
                row if ROWS.contains(&row) => asked.rows.push(row.to_owned()),
                _ => return None,
            }
        }
        if asked.rows.is_empty() {
            asked.rows = ROWS.map(str::to_owned).into();
        }
        Some(asked)
    }

    async fn run(self) -> ExitCode {
        let Self { tier, seed, hours, rows } = self;
        println!("verify {}, seed {seed}", tier.name());
        let mut reports = Vec::new();
        if tier == Tier::Soak {
            reports = Tier::soak(seed, hours).await;
        } else {
            for row in &rows {
                eprintln!("{row}:");
                for report in tier.run(row, seed).await {
                    println!("{report}");
                    reports.push(report);
                }
            }
        }
        let directory = checkout().join("target/verify");
        if let Err(fault) = tier.write(&directory, seed, &reports) {
            eprintln!("{}: {fault}", directory.display());
            return ExitCode::FAILURE;
        }
        let (kept, met) = (reports.iter().all(Report::is_kept), reports.iter().all(Report::is_met));
        let verdict = match (kept, met) {
            (true, true) => "every promise was kept, and every figure is as it should be",
            (true, false) => "every promise was kept; not every figure is as it should be",
            (false, _) => "NOT EVERY PROMISE WAS KEPT",
        };
        println!("{verdict}. What was found is in {}", directory.display());
        if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
