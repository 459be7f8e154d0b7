//! Many programs that show mail drop `<style>`: what must survive stands in each element. `layout.html` keeps only what needs a
//! condition, the dark.

/// What begins an element of a template, and what it looks like. Text of strangers is escaped: it holds none of these.
const LOOKS: [(&str, &str); 8] = [
    ("<h1", "margin: 0 0 12px; font-size: 20px; line-height: 1.3; font-weight: 700;"),
    ("<p class=\"quiet\"", "margin: 0 0 14px; color: #66666f; font-size: 14px;"),
    ("<p class=\"item\"", "margin: 0 0 14px; padding: 14px 0 0; border-top: 1px solid #e3e3e8;"),
    ("<p", "margin: 0 0 14px;"),
    (
        "<code",
        "display: block; margin: 0 0 14px; padding: 10px 12px; background: #f4f4f6; border-radius: 8px; font: 14px/1.5 ui-monospace, Menlo, Consolas, monospace;",
    ),
    (
        "<blockquote",
        "margin: 0 0 14px; padding: 2px 0 2px 14px; border-left: 3px solid #d3d3da; white-space: pre-wrap;",
    ),
    (
        // The border is for those who show no padding around a link.
        "<a class=\"button\"",
        "display: inline-block; padding: 10px 19px; background: #a8470f; border: 1px solid #a8470f; border-radius: 8px; color: #ffffff; font-weight: 600; text-decoration: none;",
    ),
    ("<a class=\"quiet\"", "color: #66666f; text-decoration: underline;"),
];

/// Writes the looks into the elements.
pub(super) fn inlined(html: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(html.len() * 2), html);
    while let Some(place) = rest.find('<') {
        let (before, tag) = rest.split_at(place);
        out.push_str(before);
        // A whole name: `<p` is no `<pre`.
        let fits = |(start, _): &&(&str, &str)| {
            tag.strip_prefix(start).is_some_and(|after| after.starts_with(['>', ' ']) || start.ends_with('"'))
        };
        if let Some((start, look)) = LOOKS.iter().find(fits) {
            out.push_str(start);
            out.push_str(" style=\"");
            out.push_str(look);
            out.push('"');
            rest = &tag[start.len()..];
        } else {
            out.push('<');
            rest = &tag[1..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::inlined;

    #[test]
    fn every_element_of_a_known_kind_gets_its_look_and_no_other_does() {
        let html = inlined(
            "<p>a</p><pre>b</pre><p class=\"quiet\" dir=\"auto\">c &#60;p class=&#34;quiet&#34;&#62;</p><p class=\"x\">d</p>",
        );
        assert!(
            html.starts_with("<p style=\"margin: 0 0 14px;\">a</p><pre>b</pre><p class=\"quiet\" style=\""),
            "{html}"
        );
        assert!(html.contains("dir=\"auto\">c &#60;p class=&#34;quiet&#34;&#62;</p>"), "{html}");
        assert_eq!(html.matches("style=").count(), 3, "{html}");
    }
}
