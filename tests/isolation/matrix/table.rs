//! The table as text: a block for each route, a line for each row, a column for each caller.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;

use super::{
    callers::{CALLERS, Caller},
    lane::{Answer, Cell, Outcome},
    recipes::Recipe,
};

const LEGEND: &str = "\
# What each route answers to each caller; written by `UPDATE_MATRIX=1 cargo test -p tests --test isolation matrix`.
# A row is a request that is in order but for what its name says. 401, 403 and 404 are `unauthenticated`, `permission_missing`
# and `not_found` unless a note at the end of the line says otherwise; 200/3 is a list of three,
# and - is not asked: a token that only narrows what its owner is answered.
";

/// What clients may take a refusal for when no note says otherwise.
const PLAIN: &[(&str, &str)] = &[("401", "unauthenticated"), ("403", "permission_missing"), ("404", "not_found")];

/// The head of a caller's column.
pub(crate) fn head(caller: &str) -> &str {
    &caller[..caller.len().min(5)]
}

/// What a cell says: the status, the length of a list, the code of a problem.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    status: String,
    code: Option<String>,
}

impl Said {
    fn of(answer: &Answer) -> Self {
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let items = body["data"].as_array().map(|items| format!("{}/{}", answer.status, items.len()));
        let code = body["code"].as_str().filter(|_| answer.status >= 400).map(str::to_owned);
        Self { status: items.unwrap_or_else(|| answer.status.to_string()), code }
    }

    /// Whether the status alone says it.
    fn is_plain(&self) -> bool {
        self.code.as_deref().is_none_or(|code| PLAIN.contains(&(&*self.status, code)))
    }
}

/// The whole table; outcomes come in the order of the recipes.
pub(crate) fn render(recipes: &[Recipe], outcomes: &[Outcome]) -> String {
    let mut text = LEGEND.to_owned();
    let mut heads = " ".repeat(24);
    for caller in CALLERS {
        let _ = write!(heads, " {:<6}", head(caller.name));
    }
    for (number, recipe) in recipes.iter().enumerate() {
        let _ = write!(text, "\n{}\n{}\n", recipe.name, heads.trim_end());
        for outcome in outcomes.iter().filter(|outcome| outcome.row.recipe == number && outcome.row.is_shown()) {
            let _ = writeln!(text, "{}", line(outcome));
        }
    }
    text
}

fn line(outcome: &Outcome) -> String {
    let said = |(caller, cell): (&Caller, &Option<Cell>)| match cell {
        // In the long run these are asked, too, but they stand for nothing new.
        Some(cell) if !(caller.narrows && outcome.row.is_beside()) => Some(Said::of(&cell.answer)),
        _ => None,
    };
    let cells: Vec<Option<Said>> = CALLERS.iter().zip(&outcome.cells).map(said).collect();
    let mut said: Vec<&Said> = cells.iter().flatten().collect();
    said.sort_unstable_by_key(|said| (&said.status, !said.is_plain(), &said.code));
    said.dedup();
    // A second code of the same status is marked, in the cell and in the note.
    let mark = |cell: &Said| {
        let same = said.iter().filter(|other| other.status == cell.status).take_while(|other| **other != cell);
        format!("{}{}", cell.status, "'".repeat(same.count()))
    };
    let mut line = format!("  {:<22}", outcome.row.name);
    for cell in &cells {
        let _ = write!(line, " {:<6}", cell.as_ref().map_or("-".to_owned(), mark));
    }
    for cell in said.iter().filter(|said| !said.is_plain()) {
        let _ = write!(line, " {}={}", mark(cell), cell.code.as_deref().unwrap_or_default());
    }
    line.trim_end().to_owned()
}

/// What differs, cell by cell.
pub(crate) fn differences(committed: &str, actual: &str) -> Vec<String> {
    let (was, is) = (read(committed), read(actual));
    let mut found = Vec::new();
    for key in was.keys().chain(is.keys().filter(|key| !was.contains_key(*key))) {
        match (was.get(key), is.get(key)) {
            (Some(was), Some(is)) if was != is => {
                for caller in CALLERS {
                    let (was, is) = (was.get(head(caller.name)), is.get(head(caller.name)));
                    if was != is {
                        let text = |cell: Option<&String>| cell.map_or("nothing".to_owned(), Clone::clone);
                        found.push(format!("{} ({}): {} {} -> {}", key.0, key.1, caller.name, text(was), text(is)));
                    }
                }
            }
            (Some(_), None) => found.push(format!("{} ({}) is gone", key.0, key.1)),
            (None, Some(is)) => found.push(format!("{} ({}) is new: {is:?}", key.0, key.1)),
            _ => {}
        }
    }
    found
}

type Cells<'t> = BTreeMap<&'t str, String>;

/// Reads a table: route and row, then the cells by the heads of their columns.
fn read(text: &str) -> BTreeMap<(&str, &str), Cells<'_>> {
    let (mut table, mut route, mut heads) = (BTreeMap::new(), "", Vec::new());
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if !line.starts_with(' ') {
            route = line;
        } else if line.starts_with("   ") {
            heads = words;
        } else {
            let notes: BTreeMap<&str, &str> = words.iter().filter_map(|word| word.split_once('=')).collect();
            let full =
                |cell: &&str| notes.get(cell).map_or_else(|| (*cell).to_owned(), |code| format!("{cell} {code}"));
            let cells = heads.iter().copied().zip(words.iter().skip(1).map(full)).collect();
            table.insert((route, words[0]), cells);
        }
    }
    table
}

#[test]
fn the_text_tells_every_cell_that_differs() {
    let table = |cells: &str| format!("GET /a\n                    nobod owner\n  own               {cells}\n");
    let (was, is) = (table("401   409    409=last_owner"), table("401   409    409=key_taken"));
    assert_eq!(differences(&was, &was), [] as [&str; 0]);
    assert_eq!(differences(&was, &is), ["GET /a (own): owner 409 last_owner -> 409 key_taken"]);
    assert_eq!(differences(&was, "").len(), 1);
}
