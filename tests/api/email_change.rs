//! Another address: it counts when both mailboxes have agreed.

use common::secrets::{Purpose, Token};
use harness::{Actor, PASSWORD, Reply, TestApp, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{arrange, call, can_sign_in, count, deeds, logged, owed, sign_up, sure, token_in, tokens};

const NEW: &str = "countess@example.net";

async fn ask(ada: &Actor, email: &str) -> Reply {
    ada.post("/v1/me/email", sure(json!({ "email": email }))).await
}

async fn confirm(app: &TestApp, token: &str) -> Reply {
    app.stranger().post("/v1/email-changes/confirmations", json!({ "token": token })).await
}

/// The tokens of the newest change: of the address that is left, and of the one that comes.
async fn newest(app: &TestApp) -> [String; 2] {
    let [mut old, mut new] = [tokens(app, Purpose::EmailOld).await, tokens(app, Purpose::EmailNew).await];
    [old.pop().unwrap(), new.pop().unwrap()]
}

/// Somebody who has asked for [`NEW`].
async fn moving(app: &TestApp) -> (Actor, [String; 2]) {
    let ada = app.person_with_password("ada").await;
    let _ = ask(&ada, NEW).await.is(202);
    let tokens = newest(app).await;
    (ada, tokens)
}

async fn address(ada: &Actor) -> String {
    ada.get("/v1/me").await.is(200).text_at("/email")
}

fn done(reply: Reply) -> bool {
    reply.is(200).json()["done"].as_bool().unwrap()
}

#[tokio::test]
async fn an_address_changes_when_both_mailboxes_have_confirmed() {
    let app = TestApp::start().await;
    let worker = app.work();
    let ada = app.person_with_password("ada").await;
    let _ = ask(&ada, "Countess@Example.net").await.is(202);
    let old = token_in(&app.mail_to(&ada.email).await.text().unwrap());
    let new = token_in(&app.mail_to(NEW).await.text().unwrap());
    assert!(!done(confirm(&app, &new).await), "one mailbox is not enough");
    assert_eq!(address(&ada).await, ada.email);
    let body = json!({ "token": old });
    let both = call(&app.stranger(), Method::POST, "/v1/email-changes/confirmations", "move-2", body).await;
    assert!(done(both));
    assert_eq!(address(&ada).await, NEW, "and the session goes on");
    assert!(can_sign_in(&app, NEW, PASSWORD).await);
    assert!(!can_sign_in(&app, &ada.email, PASSWORD).await);
    let event = logged(&app, ada.id, "email.changed", "move-2").await;
    assert_eq!((&event["before"], &event["after"]), (&json!({ "email": ada.email }), &json!({ "email": NEW })));
    assert_eq!(event["subject_id"], json!(ada.id));
    worker.stop().await;
}

#[tokio::test]
async fn either_mailbox_may_be_first_and_each_confirms_once() {
    let app = TestApp::start().await;
    let (ada, [old, new]) = moving(&app).await;
    assert!(!done(confirm(&app, &old).await));
    confirm(&app, &old).await.is_problem(404, "not_found");
    assert_eq!(address(&ada).await, ada.email, "one mailbox does not count for two");
    assert!(done(confirm(&app, &new).await));
    confirm(&app, &new).await.is_problem(404, "not_found");
    confirm(&app, &old).await.is_problem(404, "not_found");
    confirm(&app, &Token::random().unwrap().reveal()).await.is_problem(404, "not_found");
    assert_eq!(deeds(&app, ada.id).await.iter().filter(|deed| *deed == "email.changed").count(), 1);
}

#[tokio::test]
async fn a_change_of_address_is_good_for_a_day() {
    let app = TestApp::start().await;
    let (ada, [old, new]) = moving(&app).await;
    assert_eq!(count(&app, "email_changes where expires_at = created_at + interval '1 day'").await, 1);
    assert!(!done(confirm(&app, &old).await));
    arrange(&app, "update email_changes set expires_at = now()").await;
    confirm(&app, &new).await.is_problem(404, "not_found");
    assert_eq!(address(&ada).await, ada.email);
}

#[tokio::test]
async fn a_newer_change_voids_the_one_that_waits() {
    let app = TestApp::start().await;
    let (ada, [old, new]) = moving(&app).await;
    assert!(!done(confirm(&app, &old).await));
    let _ = ask(&ada, "lovelace@example.net").await.is(202);
    for token in [&old, &new] {
        confirm(&app, token).await.is_problem(404, "not_found");
    }
    for token in newest(&app).await {
        let _ = confirm(&app, &token).await.is(200);
    }
    assert_eq!(address(&ada).await, "lovelace@example.net");
}

#[tokio::test]
async fn two_mailboxes_that_confirm_at_once_finish_the_change_once() {
    let app = TestApp::start().await;
    let (ada, [old, new]) = moving(&app).await;
    let replies = at_once(&app, &ada, [&old, &new]).await;
    let mut done: Vec<bool> = replies.into_iter().map(done).collect();
    done.sort_unstable();
    assert_eq!(done, [false, true]);
    assert_eq!(address(&ada).await, NEW);
    assert_eq!(deeds(&app, ada.id).await.iter().filter(|deed| *deed == "email.changed").count(), 1);
}

#[tokio::test]
async fn a_token_that_is_used_twice_at_once_confirms_once() {
    let app = TestApp::start().await;
    let (ada, [old, new]) = moving(&app).await;
    assert!(!done(confirm(&app, &old).await));
    let replies = at_once(&app, &ada, [&new, &new]).await;
    let mut statuses: Vec<u16> = replies.iter().map(Reply::status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404], "{replies:?}");
    assert_eq!(address(&ada).await, NEW);
}

/// The account is held by somebody else, so that both stand in the middle of their work when it is let go.
async fn at_once(app: &TestApp, ada: &Actor, tokens: [&String; 2]) -> [Reply; 2] {
    let mut held = app.admin.begin().await.unwrap();
    sqlx::query("select id from accounts where id = $1 for update").bind(ada.id.0).fetch_one(&mut *held).await.unwrap();
    let let_go = async {
        eventually("both wait", async || (app.waiting().await == 2).then_some(())).await;
        held.rollback().await.unwrap();
    };
    let (one, other, ()) = tokio::join!(confirm(app, tokens[0]), confirm(app, tokens[1]), let_go);
    [one, other]
}

#[tokio::test]
async fn an_address_that_has_become_another_accounts_is_refused_to_who_has_proved_it() {
    let app = TestApp::start().await;
    let (ada, [old, new]) = moving(&app).await;
    assert!(!done(confirm(&app, &old).await));
    let eve = app.person("eve").await;
    arrange(&app, &format!("update accounts set email = '{NEW}' where id = '{}'", eve.id)).await;
    confirm(&app, &new).await.is_problem(409, "email_taken");
    assert_eq!((address(&ada).await, address(&eve).await), (ada.email.clone(), NEW.to_owned()));
    assert!(!deeds(&app, ada.id).await.contains(&"email.changed".to_owned()));
    // Once it is free again the token still counts: nothing was written.
    arrange(&app, &format!("update accounts set email = 'eve@example.org' where id = '{}'", eve.id)).await;
    assert!(done(confirm(&app, &new).await));
}

#[tokio::test]
async fn a_sign_up_that_nobody_has_proved_makes_room_for_who_has() {
    let app = TestApp::start().await;
    sign_up(&app.stranger(), NEW, "planted by mallory").await;
    let planted = tokens(&app, Purpose::Verification).await.remove(0);
    let (ada, tokens) = moving(&app).await;
    for token in tokens {
        let _ = confirm(&app, &token).await.is(200);
    }
    assert_eq!(address(&ada).await, NEW);
    app.stranger().post("/v1/verifications", json!({ "token": planted })).await.is_problem(404, "not_found");
    assert_eq!(count(&app, "accounts").await, 1);
}

#[tokio::test]
async fn asking_for_an_address_does_not_tell_whether_it_is_known() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.person_with_password("ada").await, app.person("eve").await);
    let (free, taken) = (ask(&ada, NEW).await.is(202), ask(&ada, &eve.email).await.is(202));
    assert_eq!(free.appearance(), taken.appearance());
    let mails = ["email_change_old", "email_change_new"];
    assert_eq!(owed(&app).await, [mails, mails].concat());
}

#[tokio::test]
async fn an_address_is_changed_by_its_owner_alone_and_to_another() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    let wrong = json!({ "email": NEW, "password": "not the password" });
    ada.post("/v1/me/email", wrong).await.is_problem(401, "wrong_password");
    let problem = ask(&ada, &ada.email).await.is_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/email", "{problem}");
    assert_eq!(problem["errors"][0]["code"], "same_address", "{problem}");
    assert_eq!(owed(&app).await, [] as [&str; 0]);
    app.stranger().post("/v1/me/email", sure(json!({ "email": NEW }))).await.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_link_for_a_lost_password_does_not_outlive_the_mailbox_it_lies_in() {
    let app = TestApp::start().await;
    let (ada, [old, new]) = moving(&app).await;
    let _ = app.stranger().post("/v1/password-resets", json!({ "email": ada.email })).await.is(202);
    let reset = tokens(&app, Purpose::PasswordReset).await.remove(0);
    assert!(!done(confirm(&app, &new).await));
    assert!(done(confirm(&app, &old).await));
    let body: Value = json!({ "token": reset, "password": "a whole new sentence" });
    app.stranger().post("/v1/password-resets/completions", body).await.is_problem(404, "not_found");
}
