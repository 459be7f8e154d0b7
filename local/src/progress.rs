//! One line for each step of a start, with the time it took.

use std::{
    fmt,
    io::{IsTerminal, Write, stdout},
    time::{Duration, Instant},
};

/// How far the dots reach, so that the outcomes of all steps stand in one column.
const LABEL: usize = 24;

/// Where the steps of a start are told: on standard output, or nowhere.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    shown: bool,
    faint: bool,
}

/// A step under way; it is told when it is done.
#[derive(Debug)]
#[must_use = "a step is told when `done` is called"]
pub struct Step {
    progress: Progress,
    label: String,
    begun: Instant,
}

impl Progress {
    /// Tells every step on standard output; plain text when that is not a terminal.
    #[must_use]
    pub fn stdout() -> Self {
        Self { shown: true, faint: stdout().is_terminal() }
    }

    /// Tells nothing: for tests.
    #[must_use]
    pub const fn quiet() -> Self {
        Self { shown: false, faint: false }
    }

    /// Begins a step, and its clock.
    pub fn step(self, label: impl Into<String>) -> Step {
        Step { progress: self, label: label.into(), begun: Instant::now() }
    }

    /// Tells something that takes no time, or that explains the step that follows.
    pub fn note(self, text: impl fmt::Display) {
        self.line(format_args!("  {text}"));
    }

    fn line(self, line: fmt::Arguments<'_>) {
        if self.shown {
            // A closed pipe must not stop the services: progress is a courtesy.
            let _ = writeln!(stdout().lock(), "{line}");
        }
    }
}

impl Step {
    /// Changes the label to what has become known since, such as a version.
    pub fn relabel(&mut self, label: impl Into<String>) {
        self.label = label.into();
    }

    /// Tells the outcome and how long it took.
    pub fn done(self, outcome: impl fmt::Display) {
        let line = told(&self.label, outcome, self.begun.elapsed(), self.progress.faint);
        self.progress.line(format_args!("{line}"));
    }
}

fn told(label: &str, outcome: impl fmt::Display, took: Duration, faint: bool) -> String {
    let dots = ".".repeat(LABEL.saturating_sub(label.chars().count()).max(3));
    let seconds = took.as_secs_f64();
    let (dim, plain) = if faint { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
    format!("  {label} {dim}{dots}{plain} {outcome}  {dim}({seconds:.2} s){plain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_one_plain_line_with_its_time() {
        let took = Duration::from_millis(421);
        assert_eq!(
            told("Postgres 15.18", "ready on 127.0.0.1:40123", took, false),
            "  Postgres 15.18 .......... ready on 127.0.0.1:40123  (0.42 s)"
        );
        assert!(told("a label longer than the column", "done", took, false).contains("column ... done"));
        assert!(told("Redis", "ready", took, true).contains('\x1b'));
    }
}
