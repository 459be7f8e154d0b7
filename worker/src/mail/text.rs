//! Text of strangers on its way into a mail.

/// One line without anything that ends it, hides, or turns the direction of what follows. Input is refused that has such
/// characters (`common::text`); a header is no place to rely on it (test: `a_hostile_title_adds_no_header_and_no_recipient`).
pub(super) fn one_line(text: &str) -> String {
    let text: String = text.chars().filter(|c| !is_invisible(*c)).map(|c| if is_break(c) { ' ' } else { c }).collect();
    text.trim().to_owned()
}

/// What may have several lines, line by line; each keeps its indentation, which means something in Markdown.
pub(super) fn lines(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let line = |line: &str| {
        let text = line.trim_start_matches([' ', '\t']);
        " ".repeat(line.chars().count() - text.chars().count()) + &one_line(text)
    };
    text.trim_end().split('\n').map(line).collect()
}

/// One line for a header. What looks like an encoded word would be decoded by the reader's program, line ends and all; so it
/// is broken up.
pub(super) fn header(text: &str) -> String {
    one_line(text).replace("=?", "= ?")
}

fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\0' | '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
