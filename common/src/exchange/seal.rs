//! The last line of an export says how long it is and what its bytes add up to: one that was cut off, or altered, is told from
//! one that is whole, by the server that takes it in and by the client that has fetched it.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Counts;
use crate::input::Fault;

/// No line is longer: two texts of 20,000 characters, each at its worst.
pub(super) const LONGEST: usize = 1024 * 1024;

/// The last line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    #[serde(rename = "type")]
    kind: Kind,
    /// How many lines of each type.
    counts: Counts,
    /// SHA-256 of every byte before this line, in hexadecimal digits.
    sha256: String,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    End,
}

impl End {
    pub(super) fn of(counts: Counts, before: Sha256) -> Self {
        Self { kind: Kind::End, counts, sha256: digits(before) }
    }
}

/// Why a file is not an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealFault {
    /// The last line is none, or is not whole.
    #[error("is the last line, and not the one that ends an export: the file was cut off")]
    CutOff,
    /// The bytes are not those that were written.
    #[error("ends an export whose bytes are not those before it: the file was altered")]
    Altered,
    /// Not a line of ours.
    #[error("is longer than a line may be")]
    TooLong,
}

impl Fault for SealFault {
    fn code(&self) -> &'static str {
        match self {
            Self::CutOff => "cut_off",
            Self::Altered => "altered",
            Self::TooLong => "too_long",
        }
    }
}

/// Looks at an export as it passes by, in pieces of any size.
#[derive(Clone, Debug, Default)]
pub struct Seal {
    before: Sha256,
    line: Vec<u8>,
    lines: u64,
}

impl Seal {
    /// The next bytes.
    ///
    /// # Errors
    /// The line that is too long.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), (u64, SealFault)> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.line.last() == Some(&b'\n') {
                self.before.update(&self.line);
                self.line.clear();
            }
            if self.line.is_empty() {
                self.lines += 1;
            }
            if self.line.len() + piece.len() > LONGEST {
                return Err((self.lines, SealFault::TooLong));
            }
            self.line.extend_from_slice(piece);
        }
        Ok(())
    }

    /// How many lines there were so far.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Nothing more comes.
    ///
    /// # Errors
    /// The number of the line at which the file is not whole.
    pub fn finish(self) -> Result<Counts, (u64, SealFault)> {
        let whole = self.line.strip_suffix(b"\n").and_then(|line| serde_json::from_slice::<End>(line).ok());
        let end = whole.ok_or((self.lines.max(1), SealFault::CutOff))?;
        if digits(self.before) == end.sha256 { Ok(end.counts) } else { Err((self.lines, SealFault::Altered)) }
    }
}

/// A digest as it is written.
fn digits(digest: Sha256) -> String {
    data_encoding::HEXLOWER.encode(&digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(text: &str) -> String {
        let mut before = Sha256::new();
        before.update(text);
        let end = End::of(Counts { tasks: 2, ..Counts::default() }, before);
        format!("{text}{}\n", serde_json::to_string(&end).unwrap())
    }

    fn verdict(bytes: &[u8], size: usize) -> Result<u64, (u64, SealFault)> {
        let mut seal = Seal::default();
        bytes.chunks(size).try_for_each(|piece| seal.take(piece))?;
        seal.finish().map(|counts| counts.tasks)
    }

    #[test]
    fn a_whole_file_is_whole_in_pieces_of_any_size_and_a_cut_one_is_not() {
        let file = sealed("{\"type\":\"taskbell\"}\n{\"type\":\"task\"}\n");
        for size in [1, 2, 7, 1000] {
            assert_eq!(verdict(file.as_bytes(), size), Ok(2), "{size}");
        }
        for cut in 0..file.len() {
            assert!(verdict(&file.as_bytes()[..cut], 5).is_err(), "{cut}");
        }
        assert_eq!(verdict(b"", 1), Err((1, SealFault::CutOff)));
        assert_eq!(verdict(file.replacen("task\"", "tusk\"", 1).as_bytes(), 9), Err((3, SealFault::Altered)));
        assert_eq!(verdict(&[file.as_bytes(), b"{}\n"].concat(), 9), Err((4, SealFault::CutOff)));
        assert_eq!(verdict(&vec![b'a'; LONGEST + 1], 4096), Err((1, SealFault::TooLong)));
    }
}
