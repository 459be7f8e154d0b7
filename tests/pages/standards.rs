//! What every page must keep, whatever it says.

use harness::{Browser, Mark, Window};

/// Looks at the page that is shown, in each window and in both colour schemes, and keeps a picture of each.
pub(crate) async fn hold(browser: &mut Browser, name: &str) {
    for (window, size) in [(Window::NARROW, "narrow"), (Window::PHONE, "phone"), (Window::DESKTOP, "desktop")] {
        browser.resize(window).await;
        for (dark, scheme) in [(true, "dark"), (false, "light")] {
            browser.prefer_dark(dark).await;
            let place = format!("{name}-{size}-{scheme}");
            assert!(browser.overhang().await <= 0, "{place} must be scrolled sideways");
            assert_contrast(&place, &browser.texts().await, 4.5);
            assert_contrast(&place, &browser.edges().await, 3.0);
            browser.picture(&place).await;
        }
        for target in browser.targets().await {
            assert!(target.height >= 44.0 && target.width >= 44.0, "{name}: {target:?} is hard to hit");
        }
    }
    assert_eq!(browser.evaluate("document.documentElement.lang").await, "en");
    assert!(browser.title().await.ends_with(" · Taskbell"), "{name}");
    assert_eq!(browser.spoken("banner").await.len(), 1, "{name}");
    assert_eq!(browser.spoken("main").await.len(), 1, "{name}");
    assert_eq!(browser.evaluate("document.querySelectorAll('h1').length").await, 1, "{name}");
    let scale = browser.attribute("meta[name=viewport]", "content").await.unwrap();
    assert!(!scale.contains("user-scalable") && !scale.contains("maximum-scale"), "zooming is up to the reader");
    for role in ["textbox", "button"] {
        assert!(browser.spoken(role).await.iter().all(|said| !said.is_empty()), "{name}: a {role} has no name");
    }
    assert_eq!(browser.complaints(), [] as [String; 0], "{name}");
    let home = browser.address().await;
    let home = &home[..home.find("/links/").unwrap()];
    for address in browser.asked_for() {
        assert!(address.starts_with(home) || address.starts_with("data:"), "{name} asks others: {address}");
    }
}

/// Walks through a page by keyboard: gives what had the focus, in order, each with a ring that can be seen.
pub(crate) async fn walk(browser: &mut Browser) -> Vec<String> {
    let mut stops = Vec::new();
    loop {
        browser.tab().await;
        let Some(ring) = browser.focus_ring().await else {
            assert_eq!(browser.evaluate("document.activeElement === document.body").await, true, "an invisible focus");
            return stops;
        };
        assert_contrast("the focus ring", std::slice::from_ref(&ring), 3.0);
        stops.push(ring.what);
    }
}

pub(crate) fn assert_contrast(place: &str, marks: &[Mark], least: f64) {
    for mark in marks {
        assert!(mark.contrast() >= least, "{place}: {mark:?} has a contrast of {:.2}", mark.contrast());
    }
}
