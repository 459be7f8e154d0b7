//! What clients should know of an operation beside its summary: Markdown, a heading for each operation.

/// The pages, by chapter.
const PAGES: [&str; 4] = [
    include_str!("texts/accounts.md"),
    include_str!("texts/organizations.md"),
    include_str!("texts/projects.md"),
    include_str!("texts/tasks.md"),
];

/// Each text with the operation that it is about.
pub(crate) fn texts() -> impl Iterator<Item = (&'static str, String)> {
    PAGES.iter().flat_map(|page| page.split("\n## ").skip(1)).map(|section| {
        let (id, text) = section.split_once('\n').unwrap_or((section, ""));
        // A line ends where the page does, not the sentence.
        (id.trim(), text.split_whitespace().collect::<Vec<_>>().join(" "))
    })
}

/// What is said of one operation.
pub(crate) fn text(id: &str) -> Option<String> {
    texts().find(|(about, _)| *about == id).map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn each_operation_is_told_of_once_and_nothing_else_is() {
        let told: Vec<&str> = super::texts().map(|(id, _)| id).collect();
        let contents = crate::routes::contents();
        let there: BTreeSet<&str> =
            contents.iter().flat_map(|chapter| &chapter.operations).map(|operation| operation.id).collect();
        assert_eq!(told.iter().copied().collect::<BTreeSet<_>>(), there);
        assert_eq!(told.len(), there.len());
        assert!(super::texts().all(|(id, text)| text.ends_with('.') || panic!("{id}: {text}")));
    }
}
