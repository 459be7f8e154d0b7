//! The histogram by hand: a dozen lines of SVG need no library, and none draws one that follows the reader's colours.

use std::fmt::Write as _;

use crate::{
    Bucket, Report, TOLD,
    words::{duration, escaped, grouped},
};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 400.0;
/// The room of the bars.
const LEFT: f64 = 24.0;
const RIGHT: f64 = 736.0;
const TOP: f64 = 130.0;
const BOTTOM: f64 = 330.0;
/// No bar is wider: one alone would be a wall.
const WIDEST: f64 = 64.0;
/// What there was is seen, however little.
const LOWEST: f64 = 2.0;

const STYLE: &str = "
  text { font: 13px system-ui, sans-serif; fill: #1c2430 }
  .title { font-size: 18px; font-weight: 600 }
  .faint { fill: #57606a; font-size: 12px }
  .small { font-size: 10px }
  .ground { fill: #ffffff }
  .bar { fill: #2f6fde }
  .early { fill: #c2410c }
  .axis { stroke: #57606a }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e9ee }
    .faint { fill: #a3acb9 }
    .ground { fill: #14181f }
    .bar { fill: #6ea2ff }
    .early { fill: #ff9a62 }
    .axis { stroke: #a3acb9 }
  }
";

pub(crate) fn draw(report: &Report) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n<rect class=\"ground\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n",
        escaped(&report.title),
    );
    let late = &report.lateness;
    text(&mut svg, "title", "start", (LEFT, 34.0), &report.title);
    text(&mut svg, "faint", "start", (LEFT, 56.0), &report.about);
    let told = TOLD.iter().filter_map(|(name, share)| Some(format!("{name} {}", duration(late.percentile(*share)?))));
    let told: Vec<String> = told.chain(late.max().map(|max| format!("latest {}", duration(max)))).collect();
    text(&mut svg, "", "start", (LEFT, 84.0), &told.join("   "));
    let buckets = late.histogram();
    if buckets.is_empty() {
        text(&mut svg, "faint", "middle", (WIDTH / 2.0, f64::midpoint(TOP, BOTTOM)), "nothing was sent");
    } else {
        bars(&mut svg, &buckets);
    }
    let ends: Vec<String> = report.outcomes.iter().map(|(end, count)| format!("{end} {}", grouped(*count))).collect();
    text(&mut svg, "", "start", (LEFT, 384.0), &ends.join("   "));
    svg.push_str("</svg>\n");
    svg
}

fn bars(svg: &mut String, buckets: &[Bucket]) {
    let most = buckets.iter().map(|bucket| bucket.count).max().unwrap_or(1);
    #[expect(clippy::cast_precision_loss, reason = "a drawing")]
    let step = ((RIGHT - LEFT) / buckets.len() as f64).min(WIDEST);
    let mut x = LEFT;
    for bucket in buckets {
        if bucket.count > 0 {
            #[expect(clippy::cast_precision_loss, reason = "a drawing")]
            let height = ((BOTTOM - TOP) * bucket.count as f64 / most as f64).max(LOWEST);
            let class = if bucket.over.is_none() { "bar early" } else { "bar" };
            let (y, width) = (BOTTOM - height, step - 3.0);
            // Writing to a text cannot fail.
            let _ = writeln!(
                svg,
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
            );
            text(svg, "small", "middle", (x + step / 2.0 - 1.5, y - 5.0), &short(bucket.count));
        }
        let bound = match (bucket.over, bucket.up_to) {
            (None, _) => "early".to_owned(),
            (_, Some(bound)) => duration(bound).replace(' ', ""),
            (_, None) => "more".to_owned(),
        };
        text(svg, "faint small", "end", (x + step, BOTTOM + 16.0), &bound);
        x += step;
    }
    let _ = writeln!(svg, "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{BOTTOM}\" x2=\"{x:.1}\" y2=\"{BOTTOM}\"/>");
    text(svg, "faint", "start", (LEFT, BOTTOM + 34.0), "late by up to; the number of deliveries above each bar");
}

/// A bar is narrow: `1234567` is `1.2M`.
fn short(count: u64) -> String {
    match count {
        0..10_000 => count.to_string(),
        10_000..1_000_000 => format!("{}k", count / 1_000),
        _ => format!("{}.{}M", count / 1_000_000, count % 1_000_000 / 100_000),
    }
}

fn text(svg: &mut String, class: &str, anchor: &str, (x, y): (f64, f64), words: &str) {
    let words = escaped(words);
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" xml:space=\"preserve\">{words}</text>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lateness;

    fn drawn(late: impl IntoIterator<Item = (i64, u64)>) -> String {
        let lateness: Lateness = late.into_iter().collect();
        draw(&Report {
            title: "<b>&".into(),
            about: "a week".into(),
            lateness,
            outcomes: [("sent".into(), 12_345)].into(),
        })
    }

    #[test]
    fn each_bucket_that_has_something_is_a_bar_with_its_number() {
        let svg = drawn([(3, 10_500), (40, 20)]);
        assert_eq!(svg.matches("class=\"bar\"").count(), 2);
        assert!(
            [">10k<", ">20<", ">50ms<", "p50 3 ms", "p99.9 40 ms", "latest 40 ms", "sent 12,345"]
                .iter()
                .all(|words| svg.contains(words)),
            "{svg}"
        );
    }

    #[test]
    fn what_was_there_once_among_millions_is_still_seen() {
        let svg = drawn([(1, 5_000_000), (90_000, 1)]);
        assert!(svg.contains("height=\"2.0\""), "{svg}");
    }

    #[test]
    fn every_bucket_has_its_place_within_the_picture() {
        let svg = drawn([(i64::MIN, 1), (i64::MAX, 1)]);
        let right = svg
            .lines()
            .filter_map(|line| line.split_once("x=\"")?.1.split_once('"')?.0.parse::<f64>().ok())
            .fold(0.0, f64::max);
        assert!(right <= WIDTH, "{right}");
    }

    #[test]
    fn what_came_too_early_is_a_bar_of_another_colour_and_what_was_in_time_is_not() {
        assert!(drawn([(-1, 1), (0, 1)]).contains("bar early"));
        let svg = drawn([(0, 1)]);
        assert!(!svg.contains("bar early") && svg.contains(">1ms<"), "{svg}");
    }

    #[test]
    fn both_colours_are_in_it_and_text_cannot_break_it() {
        let svg = drawn([(3, 1)]);
        assert!(svg.contains("prefers-color-scheme: dark") && svg.contains("<title>&lt;b&gt;&amp;</title>"), "{svg}");
        assert!(!svg.contains("<b>"), "{svg}");
    }
}
