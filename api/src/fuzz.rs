//! What must hold of the parsers of headers, whatever comes: for `tests/fuzz`, which cannot see them.

use crate::{
    fairings,
    tags::{Tag, Tags},
};

/// `If-Match` and `If-None-Match`.
///
/// # Panics
/// When a list that was read is read otherwise once it is written anew.
pub fn tags(header: &str) {
    let Ok(tags) = Tags::parse(header) else { return };
    let written = match &tags {
        Tags::Any => "*".to_owned(),
        Tags::These(tags) => tags.iter().map(write).collect::<Vec<_>>().join(", "),
    };
    assert_eq!(Tags::parse(&written), Ok(tags), "{written:?}");
}

fn write(Tag { weak, name }: &Tag) -> String {
    format!("{}\"{name}\"", if *weak { "W/" } else { "" })
}

/// `traceparent`.
///
/// # Panics
/// When a trace is told on that no other party would take.
pub fn traceparent(header: &str) {
    let Some((id, flags)) = fairings::traceparent(header) else { return };
    let told = format!("00-{id}-00f067aa0ba902b7-{flags:02x}");
    assert_eq!(fairings::traceparent(&told), Some((id, flags)), "{told:?}");
}
