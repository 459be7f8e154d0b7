//! Files that come in: tables, and the lines of an export.

use common::exchange::{Seal, fuzz};

use crate::bodies::tellable;

/// A table.
pub fn table(bytes: &[u8]) {
    let rows = fuzz::rows(bytes).unwrap_or_else(|fault| panic!("the disk: {fault}"));
    let lines = bytes.split(|byte| *byte == b'\n').count();
    let mut before = 0;
    for (line, row) in rows {
        assert!(line >= before && line as usize <= lines, "a row on line {line} after one on {before}, of {lines}");
        before = line;
        row.err().iter().for_each(tellable);
    }
}

/// An export: each line by itself, and whether the whole is whole, which does not depend on the pieces in which it comes.
pub fn lines(bytes: &[u8]) {
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        fuzz::line(line).err().iter().for_each(tellable);
    }
    let verdict = |size: usize| {
        let mut seal = Seal::default();
        bytes.chunks(size).try_for_each(|piece| seal.take(piece))?;
        seal.finish()
    };
    let whole = verdict(bytes.len().max(1));
    for size in [1, 7] {
        assert_eq!(verdict(size), whole, "in pieces of {size}");
    }
}
