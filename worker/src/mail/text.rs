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

/// Where prose is broken, so that it reads well in a window of eighty columns and can be quoted.
const WIDTH: usize = 72;

/// Breaks the long lines of a text between words. Each part begins as its line does, with its quote mark and its indentation; what is
/// indented like code stays as it is, and so does a word that is too long, such as an address.
pub(super) fn wrapped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / WIDTH);
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let quoted = if line.starts_with("> ") { 2 } else { 0 };
        let indent = quoted + line[quoted..].bytes().take_while(|byte| *byte == b' ').count();
        if line.chars().count() <= WIDTH || indent - quoted >= 4 {
            out.push_str(line);
        } else {
            let (prefix, words) = line.split_at(indent);
            break_up(&mut out, prefix, words);
        }
        out.push_str(end);
    }
    out
}

fn break_up(out: &mut String, prefix: &str, words: &str) {
    let mut column = 0;
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        let width = word.chars().count();
        if column > 0 && column + 1 + width <= WIDTH {
            out.push(' ');
            column += 1;
        } else {
            if column > 0 {
                out.push('\n');
            }
            out.push_str(prefix);
            column = prefix.len();
        }
        out.push_str(word);
        column += width;
    }
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

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn long_lines_are_broken_between_words_and_nothing_else_is() {
        let words = "lorem ipsum ".repeat(9);
        let words = words.trim();
        for prefix in ["", "  ", "> ", ">   "] {
            let text = format!("Short.\n{prefix}{words}\n\n-- \nTaskbell\n");
            let broken = wrapped(&text);
            assert!(broken.lines().all(|line| line.chars().count() <= 72), "{broken}");
            let inner: Vec<&str> = broken.lines().skip(1).take_while(|line| !line.is_empty()).collect();
            assert!(inner.len() == 2 && inner.iter().all(|line| line.starts_with(prefix)), "{broken}");
            let whole: Vec<&str> = inner.iter().map(|line| &line[prefix.len()..]).collect();
            assert_eq!(whole.join(" "), words);
            assert!(broken.starts_with("Short.\n") && broken.ends_with("\n\n-- \nTaskbell\n"), "{broken}");
        }
    }

    #[test]
    fn addresses_code_and_words_without_end_stay_whole() {
        let address = format!("https://example.org/{}", "x".repeat(100));
        let code = format!(">     {}", "a b ".repeat(40).trim());
        for line in [address.as_str(), &code, &"ä".repeat(100), &"ä".repeat(72)] {
            assert_eq!(wrapped(line), line);
        }
        assert_eq!(wrapped(&format!("See {address} there")), format!("See\n{address}\nthere"));
    }
}
