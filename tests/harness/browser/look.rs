//! How a page looks and reads, measured as the guidelines for accessible pages (WCAG 2.2) ask for it.

use serde::Deserialize;
use serde_json::json;

use super::Browser;

/// Something drawn on something: text on its background, a field's border on what is around it.
#[derive(Clone, Debug, Deserialize)]
pub struct Mark {
    /// Which element, and its text.
    pub what: String,
    ink: String,
    paper: String,
}

/// Something to press or to fill.
#[derive(Clone, Debug, Deserialize)]
pub struct Target {
    /// Which element.
    pub what: String,
    /// In CSS pixels.
    pub width: f64,
    /// In CSS pixels.
    pub height: f64,
}

/// Gives `each` every visible element; `paper` is the first background that is not transparent.
const WALK: &str = r"
    const name = e => `${e.localName}${e.id && '#' + e.id} '${e.innerText ?? ''}'`;
    const paper = e => {
        for (; e; e = e.parentElement) {
            const colour = getComputedStyle(e).backgroundColor;
            if (!colour.startsWith('rgba') && colour !== 'transparent') return colour;
        }
        return 'none';
    };
    const visible = [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && e.getClientRects().length);
";

impl Browser {
    /// Each text of the page on its background.
    pub async fn texts(&mut self) -> Vec<Mark> {
        self.walk(
            "visible.filter(e => e.matches('input') || [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
                .map(e => ({ what: name(e), ink: getComputedStyle(e).color, paper: paper(e) }))",
        )
        .await
    }

    /// The edge of each field and button on what is around it: its border, or its own colour when that differs.
    pub async fn edges(&mut self) -> Vec<Mark> {
        self.walk(
            "visible.filter(e => e.matches('input, button')).map(e => {
                const style = getComputedStyle(e);
                const ink = style.borderTopStyle === 'none' || style.borderTopWidth === '0px' ? paper(e) : style.borderTopColor;
                return { what: name(e), ink, paper: paper(e.parentElement) };
            })",
        )
        .await
    }

    /// Everything to press or to fill.
    pub async fn targets(&mut self) -> Vec<Target> {
        self.walk(
            "visible.filter(e => e.matches('input, button, a')).map(e => {
                const { width, height } = e.getBoundingClientRect();
                return { what: name(e), width, height };
            })",
        )
        .await
    }

    /// The outline of the element that has the focus, on what is around it; none when it has no outline of two pixels.
    pub async fn focus_ring(&mut self) -> Option<Mark> {
        let rings: Vec<Mark> = self
            .walk(
                "[document.activeElement].filter(e => e !== document.body).filter(e => {
                    const style = getComputedStyle(e);
                    return style.outlineStyle === 'solid' && parseFloat(style.outlineWidth) >= 2;
                }).map(e => ({ what: name(e), ink: getComputedStyle(e).outlineColor, paper: paper(e.parentElement) }))",
            )
            .await;
        rings.into_iter().next()
    }

    /// By how many pixels the page is wider than its window.
    pub async fn overhang(&mut self) -> i64 {
        // Not `innerWidth`: a phone zooms out until the widest thing fits.
        let width = self.evaluate("document.documentElement.scrollWidth").await.as_i64().unwrap();
        width - i64::from(self.window.width)
    }

    /// What a screen reader says of each element with this role: the name, and the description after a dash if there is one.
    pub async fn spoken(&mut self, role: &str) -> Vec<String> {
        let tree = self.wire.call("Accessibility.getFullAXTree", json!({})).await;
        let nodes = tree["nodes"].as_array().unwrap().iter();
        let said = nodes.filter(|node| node["role"]["value"] == role && node["ignored"] == false).map(|node| {
            let part = |part: &str| node[part]["value"].as_str().unwrap_or_default().to_owned();
            match (part("name"), part("description")) {
                (name, description) if description.is_empty() => name,
                (name, description) => format!("{name} - {description}"),
            }
        });
        said.collect()
    }

    async fn walk<T: for<'de> Deserialize<'de>>(&mut self, found: &str) -> Vec<T> {
        let found = self.evaluate(&format!("(() => {{ {WALK} return {found}; }})()")).await;
        serde_json::from_value(found).unwrap()
    }
}

impl Mark {
    /// The contrast between the two, from 1 to 21.
    ///
    /// # Panics
    /// When one of them is no opaque colour.
    #[must_use]
    pub fn contrast(&self) -> f64 {
        let (ink, paper) = (luminance(&self.ink), luminance(&self.paper));
        (ink.max(paper) + 0.05) / (ink.min(paper) + 0.05)
    }
}

/// Relative luminance, as WCAG defines it, of a computed `rgb(r, g, b)`.
fn luminance(colour: &str) -> f64 {
    let inner = colour.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')'));
    let inner = inner.unwrap_or_else(|| panic!("{colour} is no opaque colour"));
    let weights = [0.2126, 0.7152, 0.0722];
    let parts = inner.split(',').map(|part| part.trim().parse::<f64>().unwrap() / 255.0);
    let linear = parts.map(|part| if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) });
    linear.zip(weights).map(|(part, weight)| part * weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_what_the_guidelines_say() {
        let contrast = |ink: &str, paper: &str| {
            let ink = Mark { what: String::new(), ink: ink.to_owned(), paper: paper.to_owned() };
            (ink.contrast() * 100.0).round() / 100.0
        };
        assert!((contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") - 21.0).abs() < f64::EPSILON);
        assert!((contrast("rgb(119, 119, 119)", "rgb(255, 255, 255)") - 4.48).abs() < f64::EPSILON);
        assert!((contrast("rgb(9, 9, 9)", "rgb(9, 9, 9)") - 1.0).abs() < f64::EPSILON);
    }
}
