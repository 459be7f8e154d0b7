//! The browser itself: a harness that measures nothing would find nothing wrong.

use harness::{Browser, Window};
use url::Url;

/// A page as it should not be.
const BAD: &str = "data:text/html,<body style='background: white; color: rgb(190, 190, 190)'>\
    <div style='width: 2000px'>pale</div><input style='border: 1px solid rgb(240, 240, 240); height: 10px'>";

#[tokio::test]
async fn a_bad_page_is_seen_to_be_bad() {
    let mut browser = Browser::start().await;
    browser.resize(Window::PHONE).await;
    browser.open(&Url::parse(BAD).unwrap()).await;
    assert!(browser.overhang().await > 1000);
    assert!(browser.texts().await[0].contrast() < 2.0);
    assert!(browser.edges().await[0].contrast() < 2.0);
    assert!(browser.targets().await[0].height < 20.0);
    assert_eq!(browser.spoken("textbox").await, [""]);
    browser.click("input").await;
    browser.evaluate("document.activeElement.style.outline = 'none'").await;
    assert!(browser.focus_ring().await.is_none());
}

#[tokio::test]
async fn forbidden_scripts_do_not_run_and_preferred_colours_are_told() {
    let page = "data:text/html,<style>@media (prefers-color-scheme: dark) { body { color: rgb(1, 2, 3) } }</style>\
                <title>none ran</title><script>document.title = 'one ran'</script>";
    let page = Url::parse(page).unwrap();
    let mut browser = Browser::start().await;
    let colour = "getComputedStyle(document.body).color";
    browser.open(&page).await;
    assert_eq!((browser.title().await.as_str(), browser.evaluate(colour).await), ("one ran", "rgb(0, 0, 0)".into()));
    browser.forbid_scripts().await;
    browser.prefer_dark(true).await;
    browser.open(&page).await;
    assert_eq!((browser.title().await.as_str(), browser.evaluate(colour).await), ("none ran", "rgb(1, 2, 3)".into()));
}
