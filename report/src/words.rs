/// A duration as short as it can be read: `250 ms`, `1.5 s`, `12 min`, `3 h`.
#[must_use]
pub fn duration(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let size = ms.unsigned_abs();
    // Rounded down: nothing is said to be later than it was.
    let with = |unit: u64, name: &str| match (size / unit, size % unit * 10 / unit) {
        (whole, 0) => format!("{sign}{} {name}", grouped(whole)),
        (whole, tenth) => format!("{sign}{}.{tenth} {name}", grouped(whole)),
    };
    match size {
        0..1_000 => format!("{sign}{size} ms"),
        1_000..60_000 => with(1_000, "s"),
        60_000..3_600_000 => with(60_000, "min"),
        3_600_000..172_800_000 => with(3_600_000, "h"),
        _ => with(86_400_000, "d"),
    }
}

/// `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// For XML. What no XML may hold is left out.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' | '\t' => safe.push(' '),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {}
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short_and_never_rounded_up() {
        let told =
            [0, 999, 1_000, 1_590, 59_999, 60_000, 90_000, 3_600_000, 43_200_000, 172_800_000, -40].map(duration);
        let expected = ["0 ms", "999 ms", "1 s", "1.5 s", "59.9 s", "1 min", "1.5 min", "1 h", "12 h", "2 d", "-40 ms"];
        assert_eq!(told, expected);
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn text_cannot_leave_its_place_in_xml() {
        assert_eq!(escaped("</text>&\"\u{0}\u{1b}\n"), "&lt;/text&gt;&amp;&quot; ");
    }
}
