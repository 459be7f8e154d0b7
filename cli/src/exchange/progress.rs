//! A line on a terminal that says how far something is; nothing where nobody looks.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    time::{Duration, Instant},
};

/// How often the line changes.
const PACE: Duration = Duration::from_millis(200);

/// Bytes of a known or unknown number.
pub(super) struct Progress {
    deed: &'static str,
    total: Option<u64>,
    done: u64,
    watched: bool,
    shown: Instant,
}

impl Progress {
    pub(super) fn of(deed: &'static str, total: Option<u64>) -> Self {
        Self { deed, total, done: 0, watched: stderr().is_terminal(), shown: Instant::now() }
    }

    pub(super) fn add(&mut self, bytes: usize) {
        self.done += bytes as u64;
        if self.shown.elapsed() >= PACE {
            self.shown = Instant::now();
            self.show(&self.words());
        }
    }

    /// Whether nothing more comes.
    pub(super) fn is_done(&self) -> bool {
        self.total == Some(self.done)
    }

    /// Something else is waited for.
    pub(super) fn say(&self, words: &str) {
        self.show(words);
    }

    /// The line goes.
    pub(super) fn end(&self) {
        self.show("");
    }

    fn show(&self, words: &str) {
        if self.watched {
            // Without a terminal to draw on there is nobody to be told.
            let _ = write!(stderr(), "\r\x1b[2K{words}");
            let _ = stderr().flush();
        }
    }

    fn words(&self) -> String {
        let done = megabytes(self.done);
        match self.total.filter(|total| *total > 0) {
            Some(total) => {
                let (part, deed) = (self.done * 100 / total, self.deed);
                format!("{deed} {done} of {} MB ({part} %)", megabytes(total))
            }
            None => format!("{} {done} MB", self.deed),
        }
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{}", bytes / 1_000_000, bytes / 100_000 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_much_of_how_much() {
        let mut progress = Progress::of("sent", Some(2_500_000));
        progress.add(1_250_000);
        assert_eq!(progress.words(), "sent 1.2 of 2.5 MB (50 %)");
        assert_eq!(Progress::of("sent", None).words(), "sent 0.0 MB");
    }
}
