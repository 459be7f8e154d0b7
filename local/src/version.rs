//! Versions of servers, as directories and `--version` name them.

use std::{
    cmp::Reverse,
    fs,
    path::{Path, PathBuf},
};

/// The directories that a pattern with at most one `*` stands for, the highest version first.
pub(crate) fn directories(pattern: &Path) -> Vec<PathBuf> {
    let pattern = pattern.to_string_lossy();
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(&*pattern)];
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let numbers = numbers(name.strip_prefix(prefix)?);
            Some((numbers, PathBuf::from(format!("{parent}/{name}{after}"))))
        })
        .collect();
    found.sort_by_key(|(numbers, _)| Reverse(*numbers));
    found.into_iter().map(|(_, path)| path).collect()
}

/// `15.18` of `postgres (PostgreSQL) 15.18 (Debian …)`, `7.0.15` of `Redis server v=7.0.15 sha=…`.
pub(crate) fn said(said: &str) -> Option<String> {
    said.split_whitespace()
        .map(|word| word.trim_start_matches("v="))
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
}

/// The first two numbers; what is not a number (the `beta1` of `18beta1`) counts as none.
pub(crate) fn numbers(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or(0)
    });
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared_as_numbers() {
        assert_eq!(said("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)").unwrap(), "15.18");
        assert_eq!(said("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc").unwrap(), "7.0.15");
        assert_eq!(said("usage: nonsense"), None);
        assert!(numbers("9.6") < numbers("15.0"));
        assert!(numbers("18beta1") > numbers("15.4"));
        assert!(numbers("6.2.16") < (7, 0));
    }

    #[test]
    fn the_highest_version_comes_first() {
        let home = std::env::temp_dir().join(format!("taskbell-versions-{}", std::process::id()));
        for version in ["9.6", "15", "17"] {
            fs::create_dir_all(home.join(version)).unwrap();
        }
        let found = directories(&home.join("*/bin"));
        fs::remove_dir_all(&home).unwrap();
        assert_eq!(found, ["17", "15", "9.6"].map(|version| home.join(version).join("bin")));
        assert_eq!(directories(Path::new("/usr/local/bin")), [Path::new("/usr/local/bin")]);
    }
}
