//! The API's reference page: somebody reads it, authorizes, and tries something.

use harness::{Browser, TestApp, eventually};

/// The headers under which an operation is tried.
const TRY: &str = "#operations-Accounts-accounts_me";

#[tokio::test]
async fn somebody_authorizes_on_the_reference_page_and_tries_an_operation() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    let mut browser = Browser::start().await;
    assert_eq!(browser.open(&app.url("/docs")).await, 200);
    until(&mut browser, "document.querySelector('.authorize') !== null").await;
    browser.click(".auth-wrapper .authorize").await;
    until(&mut browser, "document.querySelector('.auth-container input') !== null").await;
    browser.fill(".auth-container input", ada.token().unwrap()).await;
    browser.click(".auth-btn-wrapper .authorize").await;
    browser.click(".auth-btn-wrapper .btn-done").await;

    open_operation(&mut browser).await;
    browser.click(&format!("{TRY} .execute")).await;
    let answer =
        format!("document.querySelector('{TRY} .live-responses-table .response .response-col_status')?.innerText");
    until(&mut browser, &format!("({answer} ?? '').startsWith('200')")).await;
    let shown = browser.text(&format!("{TRY} .live-responses-table")).await;
    assert!(shown.contains(&ada.email), "{shown}");
    browser.picture("reference").await;
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[tokio::test]
async fn the_reference_page_asks_nobody_but_its_own_server() {
    let app = TestApp::start().await;
    let mut browser = Browser::start().await;
    browser.open(&app.url("/docs")).await;
    until(&mut browser, "document.querySelectorAll('.opblock-tag').length > 5").await;
    let asked = browser.asked_for();
    assert!(asked.iter().any(|name| name.ends_with("/openapi.json")), "{asked:?}");
    let own = |name: &String| name.starts_with(app.api.as_str()) || name.starts_with("data:");
    assert!(asked.iter().all(own), "{asked:?}");
}

async fn open_operation(browser: &mut Browser) {
    let chapter = "#operations-tag-Accounts";
    until(browser, &format!("document.querySelector('{chapter}') !== null")).await;
    browser.click(chapter).await;
    until(browser, &format!("document.querySelector('{TRY} .opblock-summary-control') !== null")).await;
    browser.click(&format!("{TRY} .opblock-summary-control")).await;
    until(browser, &format!("document.querySelector('{TRY} .execute') !== null")).await;
}

async fn until(browser: &mut Browser, condition: &str) {
    eventually(condition, async || browser.evaluate(condition).await.as_bool().filter(|holds| *holds)).await;
}
