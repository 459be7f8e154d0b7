use harness::{Browser, TestApp};
use reqwest::Method;
use serde_json::json;
use url::Url;

use crate::{
    people::{PASSWORD, assert_unchanged, everything, mailed_link, signed_in, with_account},
    standards,
};

const OLD: &str = "ada@example.org";
const NEW: &str = "lovelace@example.net";

/// Ada asks for another address; gives the links in the mails to the old and to the new one.
async fn wanted(app: &TestApp) -> (Url, Url) {
    let worker = app.work();
    with_account(app, OLD, "Ada").await;
    let ada = signed_in(app, OLD, PASSWORD).await.unwrap();
    let _ = ada.post("/v1/me/email", json!({ "email": NEW, "password": PASSWORD })).await.is(202);
    let links = (mailed_link(app, OLD, "email").await, mailed_link(app, NEW, "email").await);
    worker.stop().await;
    links
}

#[tokio::test]
async fn an_address_changes_when_both_have_confirmed_in_whatever_order() {
    for newer_first in [false, true] {
        let app = TestApp::start().await;
        let (old, new) = wanted(&app).await;
        let (first, second) = if newer_first { (new, old) } else { (old, new) };
        let mut browser = Browser::start().await;
        browser.forbid_scripts().await;
        assert_eq!(browser.open(&first).await, 200);
        let page = browser.text("main").await;
        // The new address may be a stranger's, by mistake: it is not told whose account wanted it.
        assert!(page.contains(NEW) && page.contains(OLD) != newer_first, "{page}");
        standards::hold(&mut browser, "email").await;
        assert_eq!(standards::walk(&mut browser).await, ["button 'Confirm'"]);
        browser.tab().await;
        assert_eq!(browser.enter().await, 200);
        assert_eq!(browser.text("h1").await, "One more confirmation");
        assert_eq!(browser.text("main").await.contains('@'), !newer_first);
        standards::hold(&mut browser, "email-half").await;
        assert!(signed_in(&app, NEW, PASSWORD).await.is_none());
        assert_eq!(browser.open(&first).await, 404);
        browser.open(&second).await;
        assert_eq!(browser.follow("button").await, 200);
        assert_eq!(browser.text("h1").await, "Your e-mail address has changed");
        standards::hold(&mut browser, "email-changed").await;
        assert!(signed_in(&app, NEW, PASSWORD).await.is_some());
        assert!(signed_in(&app, OLD, PASSWORD).await.is_none());
    }
}

#[tokio::test]
async fn looking_at_a_change_of_address_changes_nothing() {
    let app = TestApp::start().await;
    let (old, new) = wanted(&app).await;
    let before = everything(&app).await;
    let scanner = app.stranger();
    for link in [old, new] {
        for method in [Method::GET, Method::GET, Method::HEAD] {
            let _ = scanner.send(scanner.request(method.clone(), link.path()), method.to_string()).await.is(200);
        }
    }
    assert_unchanged(&app, &before).await;
}
