use common::secrets::Purpose;
use harness::{Browser, TestApp};
use reqwest::Method;
use uuid::Uuid;

use crate::{
    people::{PASSWORD, assert_unchanged, everything, link, signed_in, with_account},
    standards,
};

/// A change of Ada's address, as asking for one writes it; the tokens that the two mails will hold.
async fn wanted(app: &TestApp) -> (String, String) {
    with_account(app, "ada@example.org", "Ada").await;
    let row = Uuid::now_v7();
    let (old, new) = (app.key.mailed_token(Purpose::EmailOld, row), app.key.mailed_token(Purpose::EmailNew, row));
    sqlx::query(
        "insert into email_changes (id, account_id, new_email, old_token_hash, new_token_hash, expires_at)
         select $1, id, 'lovelace@example.net', $2, $3, now() + interval '1 day' from accounts where email = 'ada@example.org'",
    )
    .bind(row)
    .bind(old.hash().as_bytes())
    .bind(new.hash().as_bytes())
    .execute(&app.admin)
    .await
    .unwrap();
    (old.reveal(), new.reveal())
}

#[tokio::test]
async fn an_address_changes_when_both_have_confirmed_in_whatever_order() {
    for newer_first in [false, true] {
        let app = TestApp::start().await;
        let (old, new) = wanted(&app).await;
        let (first, second) = if newer_first { (new, old) } else { (old, new) };
        let mut browser = Browser::start().await;
        browser.forbid_scripts().await;
        assert_eq!(browser.open(&link(&app, "email", &first)).await, 200);
        let page = browser.text("main").await;
        // The new address may be a stranger's, by mistake: it is not told whose account wanted it.
        assert!(page.contains("lovelace@example.net") && page.contains("ada@example.org") != newer_first, "{page}");
        standards::hold(&mut browser, "email").await;
        assert_eq!(standards::walk(&mut browser).await, ["button 'Confirm'"]);
        browser.tab().await;
        assert_eq!(browser.enter().await, 200);
        assert_eq!(browser.text("h1").await, "One more confirmation");
        assert_eq!(browser.text("main").await.contains('@'), !newer_first);
        standards::hold(&mut browser, "email-half").await;
        assert!(signed_in(&app, "lovelace@example.net", PASSWORD).await.is_none());
        assert_eq!(browser.open(&link(&app, "email", &first)).await, 404);
        browser.open(&link(&app, "email", &second)).await;
        assert_eq!(browser.follow("button").await, 200);
        assert_eq!(browser.text("h1").await, "Your e-mail address has changed");
        standards::hold(&mut browser, "email-changed").await;
        assert!(signed_in(&app, "lovelace@example.net", PASSWORD).await.is_some());
    }
}

#[tokio::test]
async fn looking_at_a_change_of_address_changes_nothing() {
    let app = TestApp::start().await;
    let (old, new) = wanted(&app).await;
    let before = everything(&app).await;
    let scanner = app.stranger();
    for token in [old, new] {
        for method in [Method::GET, Method::GET, Method::HEAD] {
            let path = format!("/links/email/{token}");
            let _ = scanner.send(scanner.request(method.clone(), &path), method.to_string()).await.is(200);
        }
    }
    assert_unchanged(&app, &before).await;
}
