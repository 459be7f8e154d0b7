//! Text that nobody would write, the same at each run, to see what parsers make of it.

/// Of signs that parsers look at, and of some that they forget.
const SIGNS: &[char] = &[
    '0', '1', '7', '9', 'a', 'b', 'f', 'x', 'z', 'A', 'Z', '_', '-', '.', ',', ':', ';', '/', '+', '=', '[', ']', '%',
    '@', ' ', '\t', '\n', '\r', '\0', '\u{7f}', 'ß', 'İ', '٣', '\u{202e}', '\u{feff}', '😀',
];

/// Splitmix64: small, and good enough to be surprising.
struct Generator(u64);

impl Generator {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }

    fn sign(&mut self) -> char {
        SIGNS[self.below(SIGNS.len())]
    }
}

/// 20,000 texts: half made of signs, half of `samples` with up to three signs put in, replaced, taken out or moved.
pub(crate) fn texts(samples: &[String]) -> Vec<String> {
    let mut from = Generator(2026);
    let noise = |from: &mut Generator| (0..from.below(80)).map(|_| from.sign()).collect();
    (0..20_000).map(|n| if n % 2 == 0 { noise(&mut from) } else { spoil(&mut from, samples) }).collect()
}

fn spoil(from: &mut Generator, samples: &[String]) -> String {
    let mut text: Vec<char> = samples[from.below(samples.len())].chars().collect();
    for _ in 0..from.below(4) {
        let place = from.below(text.len() + 1);
        match (from.below(4), text.get(place).copied()) {
            (1, Some(_)) => text[place] = from.sign(),
            (2, Some(_)) => drop(text.remove(place)),
            (3, Some(moved)) => {
                let _ = text.remove(place);
                text.insert(from.below(text.len() + 1), moved);
            }
            _ => text.insert(place, from.sign()),
        }
    }
    text.into_iter().collect()
}
