//! Passwords that everybody tries first, and the trivial ways of making them longer.
//!
//! Length alone does not help against `password2026` or `aaaaaaaaaaaa`, and a list cannot hold every such form. So a password is
//! taken apart into what people build them from: words of the list, rows of the keyboard, repetitions, years, single characters. What
//! the cheapest way to put it together costs, in bits, is about what an attacker pays who knows the same.

use std::sync::LazyLock;

/// Well-known passwords and the words they are made of, in lower case, letters and digits alone, sorted. Gathered by hand: what
/// published statistics of leaked passwords agree on, in a few languages.
static LIST: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("../../data/common_passwords.txt").lines().collect());
static LONGEST: LazyLock<usize> = LazyLock::new(|| LIST.iter().map(|word| word.len()).max().unwrap_or(0));

/// No word of the list is shorter.
const SHORTEST: usize = 4;
/// Two words and some digits stay below, three words or twelve random digits do not.
const ENOUGH: u32 = 32;

// In bits. One character costs what a random one would, so that nothing random is ever refused.
const WORD: u32 = 11;
const YEAR: u32 = 7;
const RUN: u32 = 6;
const COPY: u32 = 3;
const DIGIT: u32 = 3;
const OTHER: u32 = 5;

/// Rows that fingers follow, forwards or backwards.
const ROWS: [&[u8]; 17] = [
    b"abcdefghijklmnopqrstuvwxyz",
    b"01234567890",
    b"qwertyuiop[]",
    b"asdfghjkl;'",
    b"zxcvbnm,./",
    b"qwertzuiop",
    b"yxcvbnm,.-",
    b"azertyuiop",
    b"qsdfghjklm",
    b"wxcvbn",
    b"!@#$%^&*()_+",
    b"1q2w3e4r5t6y7u8i9o0p",
    b"q1w2e3r4t5y6u7i8o9p0",
    b"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    b"1qazxsw23edcvfr45tgbnhy6",
    b"a1b2c3d4e5f6g7h8i9j0",
    b"1a2b3c4d5e6f7g8h9i0j",
];

/// Whether a password is among those that are tried first.
pub(super) fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    let squeezed: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
    // What is behind makes nothing cheaper, and looking at it takes the third power of its length.
    let looked_at = &lower.as_bytes()[..lower.len().min(256)];
    is_listed(squeezed.as_bytes()) || cost(looked_at) < ENOUGH
}

fn is_listed(word: &[u8]) -> bool {
    LIST.binary_search_by(|known| known.as_bytes().cmp(word)).is_ok()
}

/// What the cheapest way to put `text` together costs.
fn cost(text: &[u8]) -> u32 {
    let spellings = [text.to_vec(), plain(text, b'i'), plain(text, b'l')];
    // Of everything before a place; each piece that begins there may make what is before its end cheaper.
    let mut costs: Vec<u32> = (0..).step_by(OTHER as usize).take(text.len() + 1).collect();
    for begin in 0..text.len() {
        let mut take = |len: usize, cost: u32| {
            let cost = costs[begin] + cost;
            costs[begin + len] = costs[begin + len].min(cost);
        };
        let rest = &text[begin..];
        take(1, if rest[0].is_ascii_digit() { DIGIT } else { OTHER });
        if let [b'1', b'9', b'0'..=b'9', b'0'..=b'9', ..] | [b'2', b'0', b'0'..=b'9', b'0'..=b'9', ..] = rest {
            take(4, YEAR);
        }
        for len in 3..=longest(rest.len(), |len| is_run(&rest[..len])) {
            take(len, RUN);
        }
        for back in 1..=begin {
            // A copy may reach into itself: that is how one character becomes many.
            let copied = rest.iter().zip(&text[begin - back..]).take_while(|(one, other)| one == other).count();
            if copied > 0 {
                take(copied, COPY);
            }
        }
        for len in SHORTEST..=rest.len().min(*LONGEST) {
            if spellings.iter().any(|spelling| is_listed(&spelling[begin..begin + len])) {
                take(len, WORD);
            }
        }
    }
    costs[text.len()]
}

/// The largest length, from three on, up to which `fits` holds.
fn longest(most: usize, fits: impl Fn(usize) -> bool) -> usize {
    (3..=most).take_while(|len| fits(*len)).last().unwrap_or(0)
}

fn is_run(text: &[u8]) -> bool {
    ROWS.iter().flat_map(|row| row.windows(text.len())).any(|run| run == text || run.iter().rev().eq(text))
}

/// Letters for the signs that stand for them; `one` is what 1 stands for.
fn plain(text: &[u8], one: u8) -> Vec<u8> {
    let letter = |sign: &u8| match sign {
        b'@' | b'4' => b'a',
        b'3' => b'e',
        b'1' | b'!' | b'|' => one,
        b'0' => b'o',
        b'5' | b'$' => b's',
        b'7' | b'+' => b't',
        other => *other,
    };
    text.iter().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_in_the_form_that_is_looked_up() {
        assert!(LIST.is_sorted_by(|one, next| one < next));
        let fits = |word: &&str| word.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        assert!(LIST.iter().all(|word| word.len() >= SHORTEST && fits(word)));
        assert!(LIST.len() > 3000, "{}", LIST.len());
        for word in LIST.iter().filter(|word| word.len() >= 12) {
            assert!(is_common(word) && is_common(&word.to_uppercase()), "{word}");
        }
    }

    #[test]
    fn well_known_passwords_are_common_however_they_are_padded() {
        for common in [
            "correct horse battery staple",
            "Password1234",
            "P@ssw0rd2026!",
            "!!passw0rd!!",
            "password19870412",
            "123456password",
            "passwordpassword",
            "password-password-password",
            "Password.Password.1",
            "iloveyou1234",
            "1l0v3y0u!!!!",
            "Summer2026!!",
            "dragonmonkey",
            "Welcome2Taskbell!",
            "letmein-letmein",
            "aaaaaaaaaaaa",
            "            ",
            "abababababab",
            "abc1abc1abc1",
            "123456789012",
            "1234-5678-9012",
            "987654321098",
            "20262026202620",
            "qwertyuiop[]",
            "qwertyuiop123",
            "poiuytrewqasd",
            "asdfghjkl;'\\",
            "1q2w3e4r5t6y",
            "1qaz2wsx3edc",
            "abcdefghijklm",
            "ABCDEF123456",
            "!@#$%^&*()_+",
        ] {
            assert!(is_common(common), "{common:?} costs {}", cost(common.as_bytes()));
        }
        assert!(is_common(&"a".repeat(256)) && is_common(&"password".repeat(32)));
    }

    #[test]
    fn what_takes_some_guessing_is_not_common() {
        for fine in [
            "correct horse battery",
            "walk-the-tour-2026",
            "planted by mallory",
            "planted once more",
            "monkey piano window",
            "kqzvwxrtplmn",
            "480917265530",
            "T7#kq!x2Lp$9",
            "пароль из головы",
            "ein satz mit sinn",
        ] {
            assert!(!is_common(fine), "{fine:?} costs {}", cost(fine.as_bytes()));
        }
    }

    #[test]
    fn random_passwords_are_never_common() {
        for _ in 0..2000 {
            let token = crate::secrets::Token::random().unwrap().reveal();
            assert!(!is_common(&token[..12]), "{}", &token[..12]);
        }
    }
}
