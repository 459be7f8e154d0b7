//! Cells: what a spreadsheet would take for a formula, and lists.

use std::borrow::Cow;

/// What a spreadsheet takes for the beginning of a formula; and the apostrophe that keeps it from doing so.
const DANGEROUS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\''];

/// A text that no spreadsheet calculates.
pub(super) fn guarded(text: &str) -> Cow<'_, str> {
    if text.starts_with(DANGEROUS) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The text that was guarded. An apostrophe before anything else is somebody's own.
pub(super) fn bare(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(DANGEROUS)).unwrap_or(cell)
}

/// A list in one cell: `one; two`. A semicolon within stands behind a backslash.
pub(super) fn joined<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let escaped = items.into_iter().map(|item| item.replace('\\', "\\\\").replace(';', "\\;"));
    escaped.collect::<Vec<_>>().join("; ")
}

/// What was joined, trimmed; nothing where there is nothing.
pub(super) fn parted(cell: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut letters = cell.chars();
    while let Some(letter) = letters.next() {
        match (letter, items.last_mut()) {
            (';', _) => items.push(String::new()),
            ('\\', Some(item)) => item.extend(letters.next()),
            (letter, Some(item)) => item.push(letter),
            (_, None) => {}
        }
    }
    items.iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_every_text_comes_back_as_it_was() {
        for text in ["=1+1", "+49 30 1", "-", "@here", "\tx", "\rx", "'=1", "''", "'", "'tis", "plain", "", "a=b", "é"]
        {
            let cell = guarded(text);
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{text:?}");
            assert_eq!(bare(&cell), text);
        }
        assert_eq!(bare("'tis somebody else's table"), "'tis somebody else's table");
    }

    #[test]
    fn a_list_comes_back_as_it_was() {
        for items in [vec![], vec!["one"], vec!["a; b", "c\\", "\\;"], vec!["ä", "=b"]] {
            assert_eq!(parted(&joined(items.iter().copied())), items);
        }
        assert_eq!(parted(" a ;; b;"), ["a", "b"]);
        assert_eq!(parted("a\\"), ["a"]);
    }
}
