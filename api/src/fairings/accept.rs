//! The header `Accept`, as RFC 9110 reads it. Rocket's own reading finds `q` only in the first place, and takes the first range
//! for the best one.

/// Whether a client takes `media`: the most specific of the ranges that fit says so, and `q=0` says no.
pub(super) fn takes(accept: &str, media: &str) -> bool {
    let (kind, _) = media.split_once('/').unwrap_or((media, ""));
    let fits = |range: &str| match range {
        "*/*" => Some(0),
        range if range.strip_suffix("/*").is_some_and(|wide| wide.eq_ignore_ascii_case(kind)) => Some(1),
        range if range.eq_ignore_ascii_case(media) => Some(2),
        _ => None,
    };
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let specific = fits(parts.next()?)?;
        let refused = parts.filter_map(|part| part.split_once('=')).any(|(name, value)| {
            name.trim().eq_ignore_ascii_case("q") && value.trim().parse::<f32>().is_ok_and(|weight| weight <= 0.0)
        });
        Some((specific, !refused))
    });
    // Of two for the same, the one that takes it.
    ranges.max().is_some_and(|(_, taken)| taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_range_decides() {
        for accept in [
            "*/*",
            "application/*",
            "application/json",
            "APPLICATION/JSON",
            "application/json;charset=utf-8",
            "text/html, application/json;q=0.1",
            "text/html,application/xhtml+xml,*/*;q=0.8",
            "application/json ; v=1 ; q=0.5",
            "*/*;q=0, application/json",
            "application/*;q=0.0, application/json;q=0.001",
            "application/json;q=nonsense",
            ",, application/json",
        ] {
            assert!(takes(accept, "application/json"), "{accept}");
        }
        for accept in [
            "text/html",
            "application/jsonx",
            "application",
            "*",
            "json",
            "application/json;q=0",
            "application/json;v=1;q=0.000",
            "*/*, application/json;q=0",
            "application/*;q=0",
            "text/*, image/*",
            ";;;",
        ] {
            assert!(!takes(accept, "application/json"), "{accept}");
        }
    }
}
