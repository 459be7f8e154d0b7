//! The fuzz targets, a few seconds long: over what is in `seeds/`, and over mutations of that.

use std::{
    fs::{self, DirEntry},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use targets::{TARGETS, Target};

/// How many mutations each target gets; of mails, whose writing takes milliseconds, fewer.
const MUTATIONS: usize = 1500;
const MAILS: usize = 200;

/// What parsers look at, and what they forget.
const BITS: [&[u8]; 28] = [
    b"\0",
    b"\r\n",
    b" ",
    b"\"",
    b"\\u0000",
    b",",
    b";",
    b"=",
    b"-",
    b"+",
    b":",
    b"{",
    b"}",
    b"[",
    b"]",
    b"null",
    b"-1",
    b"0",
    b"99999999999999999999",
    b"1e999",
    b"W/",
    b"*",
    b"Z",
    b"%00",
    "ä".as_bytes(),
    "\u{202e}".as_bytes(),
    b"\xff",
    b"=?utf-8?q?",
];

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
    let mut files: Vec<_> =
        fs::read_dir(&folder).unwrap_or_else(|fault| panic!("{}: {fault}", folder.display())).collect();
    files.sort_by_key(|file| file.as_ref().map(DirEntry::path).unwrap_or_default());
    let read = |file: io::Result<DirEntry>| fs::read(file?.path());
    let all: io::Result<_> = files.into_iter().map(read).collect();
    all.unwrap_or_else(|fault| panic!("{}: {fault}", folder.display()))
}

fn mutated(random: &mut StdRng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[random.random_range(0..seeds.len())].clone();
    for _ in 0..random.random_range(1..6) {
        let place = random.random_range(0..=bytes.len());
        let end = (place + random.random_range(0..12)).min(bytes.len());
        match random.random_range(0..6) {
            0 if place < bytes.len() => bytes[place] ^= 1 << random.random_range(0..8),
            1 => drop(bytes.drain(place..end)),
            2 => {
                let piece = bytes[place..end].repeat(random.random_range(1..40));
                drop(bytes.splice(place..place, piece));
            }
            3 => {
                let other = &seeds[random.random_range(0..seeds.len())];
                let from = random.random_range(0..=other.len());
                drop(bytes.splice(place..end, other[from..].to_vec()));
            }
            _ => drop(bytes.splice(place..place, BITS[random.random_range(0..BITS.len())].to_vec())),
        }
    }
    bytes
}

fn run((name, target): Target) {
    let seeds = seeds(name);
    let mut random = StdRng::seed_from_u64(2026);
    let count = if name == "mail" { MAILS } else { MUTATIONS };
    let made: Vec<_> = (0..count).map(|_| mutated(&mut random, &seeds)).collect();
    for bytes in seeds.iter().chain(&made) {
        let shown = bytes.escape_ascii();
        let held = catch_unwind(AssertUnwindSafe(|| target(bytes))).is_ok();
        assert!(held, "{name}: a finding; keep it in tests/fuzz/seeds/{name}: \"{shown}\"");
    }
}

#[test]
fn no_input_makes_a_parser_panic_or_contradict_itself() {
    for target in TARGETS {
        let begun = std::time::Instant::now();
        run(target);
        println!("{}: {:?}", target.0, begun.elapsed());
    }
}

#[test]
fn every_target_is_run_by_the_fuzzer_too() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        let text = fs::read_to_string(folder.join("targets").join(format!("{name}.rs"))).unwrap();
        assert!(text.contains(&format!("targets::{name}")), "{name}");
    }
}
