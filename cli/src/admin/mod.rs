//! `taskbell admin`: what an operator asks and does. By the database, with the URL of `taskbell migrate`.

mod deliveries;
mod lateness;
mod table;

use std::time::Duration;

use clap::Subcommand;
use common::operators::Operator;
use jiff::{SignedDuration, Span, SpanRelativeTo};

use crate::{Failure, settings};

/// What is asked or done.
#[derive(Subcommand)]
pub(crate) enum Admin {
    /// Mail: where it is, and what becomes of it.
    #[command(subcommand)]
    Deliveries(deliveries::Deliveries),
    /// How late mail was.
    Lateness(lateness::Asked),
}

/// Does it.
pub(crate) async fn run(admin: &Admin) -> Result<(), Failure> {
    let settings = settings::read()?;
    let mut operator = Operator::connect(&settings.database_url()?).await?;
    match admin {
        Admin::Deliveries(what) => deliveries::run(&mut operator, what, settings.reminders_paused()).await,
        Admin::Lateness(asked) => lateness::run(&mut operator, asked).await,
    }
}

/// How long ago something may be: `7d`, `12h`, `1h 30m`; a day has 24 hours.
fn ago(text: &str) -> Result<Duration, String> {
    let span: Span = text.parse().map_err(|_| "no time; write it like 7d, 12h or 30m".to_owned())?;
    let length: SignedDuration =
        span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|fault| fault.to_string())?;
    Duration::try_from(length).map_err(|_| "must not be negative".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_write_them() {
        let read =
            ["7d", "12h", "90m", "1h 30m", "P1DT1H", "2 weeks"].map(|text| ago(text).map(|time| time.as_secs() / 60));
        assert_eq!(read, [Ok(10_080), Ok(720), Ok(90), Ok(90), Ok(1_500), Ok(20_160)]);
        assert!(["", "7", "soon", "-1h", "1 month"].into_iter().all(|text| ago(text).is_err()));
    }
}
