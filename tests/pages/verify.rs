use common::secrets::Token;
use harness::{Browser, TestApp, Window};
use reqwest::Method;

use crate::{
    people::{PASSWORD, assert_unchanged, everything, link, mailed_link, sign_up, signed_in},
    standards,
};

async fn can_sign_in(app: &TestApp, email: &str) -> bool {
    signed_in(app, email, PASSWORD).await.is_some()
}

#[tokio::test]
async fn a_sign_up_is_confirmed_on_a_phone_without_scripts_by_the_link_in_its_mail() {
    let app = TestApp::start().await;
    let worker = app.work();
    sign_up(&app, "ada@example.org", "Ada Lovelace").await;
    let mut browser = Browser::start().await;
    browser.resize(Window::PHONE).await;
    browser.forbid_scripts().await;
    assert_eq!(browser.open(&mailed_link(&app, "ada@example.org", "verify").await).await, 200);
    let page = browser.text("main").await;
    assert!(page.contains("ada@example.org") && page.contains("Ada Lovelace"), "{page}");
    assert!(!can_sign_in(&app, "ada@example.org").await);
    assert_eq!(browser.follow("button").await, 200);
    assert_eq!(browser.text("h1").await, "Your e-mail address is confirmed");
    assert!(can_sign_in(&app, "ada@example.org").await);
    worker.stop().await;
}

#[tokio::test]
async fn the_pages_of_a_verification_keep_the_standards() {
    let app = TestApp::start().await;
    let mut browser = Browser::start().await;
    let token = sign_up(&app, &format!("{}@example.org", "long".repeat(15)), &"W".repeat(120)).await;
    browser.open(&link(&app, "verify", &token)).await;
    standards::hold(&mut browser, "verify-long").await;
    browser.follow("button").await;
    standards::hold(&mut browser, "verify-confirmed-long").await;
    let token = sign_up(&app, "ada@example.org", "Ada Lovelace").await;
    browser.open(&link(&app, "verify", &token)).await;
    standards::hold(&mut browser, "verify").await;
    browser.follow("button").await;
    standards::hold(&mut browser, "verify-confirmed").await;
    assert_eq!(browser.open(&link(&app, "verify", &token)).await, 404);
    standards::hold(&mut browser, "verify-used").await;
}

#[tokio::test]
async fn a_keyboard_is_enough() {
    let app = TestApp::start().await;
    let token = sign_up(&app, "ada@example.org", "Ada").await;
    let mut browser = Browser::start().await;
    browser.open(&link(&app, "verify", &token)).await;
    assert_eq!(standards::walk(&mut browser).await, ["button 'Confirm'"]);
    browser.tab().await;
    assert_eq!(browser.enter().await, 200);
    assert!(can_sign_in(&app, "ada@example.org").await);
}

#[tokio::test]
async fn looking_changes_nothing_and_only_the_button_acts() {
    let app = TestApp::start().await;
    let token = sign_up(&app, "ada@example.org", "Ada").await;
    let path = format!("/links/verify/{token}");
    let before = everything(&app).await;
    let scanner = app.stranger();
    for (method, header) in [
        (Method::GET, ("Accept", "text/html")),
        (Method::GET, ("Accept", "*/*")),
        (Method::GET, ("Sec-Purpose", "prefetch;prerender")),
        (Method::GET, ("X-HTTP-Method-Override", "POST")),
        (Method::HEAD, ("Accept", "text/html")),
    ] {
        let request = scanner.request(method.clone(), &path).header(header.0, header.1);
        let _ = scanner.send(request, format!("{method} {header:?}")).await.is(200);
    }
    for (method, status) in [(Method::OPTIONS, 204), (Method::PUT, 405), (Method::PATCH, 405), (Method::DELETE, 405)] {
        let request = scanner.request(method.clone(), &path);
        let reply = scanner.send(request, method.to_string()).await.is(status);
        assert_eq!(reply.header("allow"), Some("GET, HEAD, OPTIONS, POST"));
    }
    let _ = scanner.send(scanner.request(Method::GET, &format!("{path}?_method=POST")), "_method".into()).await.is(200);
    let mut browser = Browser::start().await;
    browser.open(&link(&app, "verify", &token)).await;
    browser.open(&link(&app, "verify", &token)).await;
    assert_unchanged(&app, &before).await;
    assert_eq!(browser.follow("button").await, 200);
    assert!(can_sign_in(&app, "ada@example.org").await);
}

#[tokio::test]
async fn a_link_that_is_used_too_old_unknown_or_broken_opens_the_same_friendly_page() {
    let app = TestApp::start().await;
    let old = sign_up(&app, "old@example.org", "Old").await;
    sqlx::query("update verifications set expires_at = now()").execute(&app.admin).await.unwrap();
    let used = sign_up(&app, "used@example.org", "Used").await;
    let stranger = app.stranger();
    let post = async |token: &str| {
        let path = format!("/links/verify/{token}");
        stranger.send(stranger.request(Method::POST, &path).header("X-Request-Id", "same"), path).await
    };
    let _ = post(&used).await.is(200);
    let mut pages = Vec::new();
    for token in [&old, &used, &Token::random().unwrap().reveal(), "not-a-token", "%00", "' or 1=1 --"] {
        pages.push(post(token).await.is(404).text().to_owned());
        let path = format!("/links/verify/{token}");
        pages.push(stranger.get(&path).await.is(404).text().to_owned());
    }
    assert!(pages.iter().all(|page| *page == pages[0] && page.contains("<h1>This link does not work</h1>")));
    assert!(!can_sign_in(&app, "old@example.org").await);
}

#[tokio::test]
async fn text_of_strangers_is_shown_and_never_obeyed() {
    let app = TestApp::start().await;
    let name = r"</dd><script>document.title='obeyed'</script><img src=x onerror=alert(1)>";
    let token = sign_up(&app, "ada@example.org", name).await;
    let mut browser = Browser::start().await;
    browser.open(&link(&app, "verify", &token)).await;
    assert!(browser.text("main").await.contains(name));
    assert!(!browser.has("script").await && !browser.has("img").await);
    browser.follow("button").await;
    assert!(browser.text("main").await.contains(name));
    assert!(!browser.has("script").await && browser.complaints().is_empty());
}
