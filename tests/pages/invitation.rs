use common::{
    second_factor::RecoveryCodes,
    secrets::{Purpose, Token},
};
use harness::{Browser, Team, TestApp, Window};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    people::{
        PASSWORD, assert_unchanged, everything, invite, link, mailed_link, send_form, sign_up, signed_in, with_account,
    },
    standards,
};

/// The organization, as somebody who signs in sees it.
async fn seen_by(app: &TestApp, team: &Team, email: &str, password: &str) -> Value {
    let person = signed_in(app, email, password).await.expect("the password is right");
    person.get(&format!("/v1/orgs/{}", team.slug)).await.json()
}

#[tokio::test]
async fn somebody_without_an_account_joins_on_a_phone_without_scripts_by_the_link_in_the_mail() {
    let app = TestApp::start().await;
    let worker = app.work();
    let team = app.team().await;
    invite(&app, &team.admin, "zoe@example.org", "member").await;
    let mut browser = Browser::start().await;
    browser.resize(Window::PHONE).await;
    browser.forbid_scripts().await;
    assert_eq!(browser.open(&mailed_link(&app, "zoe@example.org", "invitation").await).await, 200);
    assert_eq!(browser.text("h1").await, "Join A Team");
    assert!(browser.text("main").await.contains("admin invites you"));
    browser.fill("#name", "Zoë").await;
    browser.fill("#password", PASSWORD).await;
    assert_eq!(browser.follow("button[value=join]").await, 200);
    assert_eq!(browser.text("h1").await, "Welcome to A Team");
    assert_eq!(seen_by(&app, &team, "zoe@example.org", PASSWORD).await["role"], "member");
    worker.stop().await;
}

#[tokio::test]
async fn somebody_with_an_account_accepts_with_its_password() {
    let app = TestApp::start().await;
    let team = app.team().await;
    with_account(&app, "ada@example.org", "Ada").await;
    let token = invite(&app, &team.owner, "ada@example.org", "admin").await;
    let mut browser = Browser::start().await;
    browser.forbid_scripts().await;
    browser.open(&link(&app, "invitation", &token)).await;
    assert_eq!(browser.attribute("#account", "value").await.as_deref(), Some("ada@example.org"));
    browser.fill("#password", "not the password").await;
    assert_eq!(browser.follow("button[value=accept]").await, 401);
    assert_eq!(browser.spoken("textbox").await, ["E-mail address", "Password - Password is wrong."]);
    browser.fill("#password", PASSWORD).await;
    assert_eq!(browser.follow("button[value=accept]").await, 200);
    assert_eq!(seen_by(&app, &team, "ada@example.org", PASSWORD).await["role"], "admin");
    assert_eq!(browser.open(&link(&app, "invitation", &token)).await, 404);
}

#[tokio::test]
async fn accepting_asks_for_the_second_factor_and_leaves_no_session_behind() {
    let app = TestApp::start().await;
    let team = app.team().await;
    with_account(&app, "ada@example.org", "Ada").await;
    let factor = uuid::Uuid::now_v7();
    sqlx::query(
        "insert into second_factors (account_id, id, confirmed_at) select id, $1, now() from accounts where email = 'ada@example.org'",
    )
    .bind(factor)
    .execute(&app.admin)
    .await
    .unwrap();
    let codes = RecoveryCodes::derive(&app.key, factor, 1).reveal();
    let token = invite(&app, &team.owner, "ada@example.org", "guest").await;
    let mut browser = Browser::start().await;
    browser.forbid_scripts().await;
    browser.open(&link(&app, "invitation", &token)).await;
    standards::hold(&mut browser, "invitation-second-factor").await;
    for (code, fault) in [("000000", "is wrong or was used before"), ("x", "must be six digits or a recovery code")] {
        browser.fill("#password", PASSWORD).await;
        browser.fill("#code", code).await;
        assert_ne!(browser.follow("button[value=accept]").await, 200);
        assert!(browser.text(".fault").await.contains(fault));
    }
    browser.fill("#password", PASSWORD).await;
    browser.fill("#code", &codes[3]).await;
    assert_eq!(browser.follow("button[value=accept]").await, 200);
    let (sessions, joined): (i64, i64) = sqlx::query_as(
        "select (select count(*) from sessions s join accounts a on a.id = s.account_id where a.email = 'ada@example.org'),
                (select count(*) from memberships m join accounts a on a.id = m.account_id where a.email = 'ada@example.org')",
    )
    .fetch_one(&app.admin)
    .await
    .unwrap();
    assert_eq!((sessions, joined), (0, 1));
}

#[tokio::test]
async fn who_guesses_is_slowed_down_as_at_every_door() {
    let app = TestApp::start().await;
    let team = app.team().await;
    with_account(&app, "ada@example.org", "Ada").await;
    let token = invite(&app, &team.owner, "ada@example.org", "guest").await;
    let mut browser = Browser::start().await;
    browser.open(&link(&app, "invitation", &token)).await;
    let mut guesses = 0;
    while browser.status() != 429 {
        guesses += 1;
        assert!(guesses < 50, "nobody minds the guessing");
        browser.fill("#password", "not the password").await;
        browser.follow("button[value=accept]").await;
    }
    assert!(browser.text("main").await.contains("wait"));
    standards::hold(&mut browser, "refused-throttled").await;
    // Looking at the page may have taken longer than the wait.
    let guess = [("answer", "accept"), ("password", "not the password")];
    let refused = harness::eventually("a guess is refused", async || {
        let reply = send_form(&app, "invitation", &token, &guess).await;
        (reply.status() == 429).then_some(reply)
    });
    assert!(refused.await.header("retry-after").is_some());
}

#[tokio::test]
async fn who_is_a_member_already_is_told_so_and_keeps_no_session_either() {
    let app = TestApp::start().await;
    let team = app.team().await;
    with_account(&app, "ada@example.org", "Ada").await;
    let token = invite(&app, &team.owner, "ada@example.org", "guest").await;
    sqlx::query("insert into memberships (org_id, account_id, role) select $1, id, 'member' from accounts where email = 'ada@example.org'")
        .bind(team.id.0)
        .execute(&app.admin)
        .await
        .unwrap();
    let accept = [("answer", "accept"), ("password", PASSWORD)];
    let reply = send_form(&app, "invitation", &token, &accept).await.is(409);
    assert!(reply.text().contains("The account is already a member of the organization."), "{}", reply.text());
    let sessions: i64 = sqlx::query_scalar(
        "select count(*) from sessions s join accounts a on a.id = s.account_id where a.email = 'ada@example.org'",
    )
    .fetch_one(&app.admin)
    .await
    .unwrap();
    assert_eq!(sessions, 0);
}

#[tokio::test]
async fn what_is_answered_is_in_the_logs() {
    let app = TestApp::start().await;
    let team = app.team().await;
    with_account(&app, "ada@example.org", "Ada").await;
    for (email, fields) in [
        ("ada@example.org", &[("answer", "accept"), ("password", PASSWORD)][..]),
        ("zoe@example.org", &[("answer", "join"), ("name", "Zoe"), ("password", PASSWORD)]),
        ("eve@example.org", &[("answer", "decline")]),
    ] {
        let token = invite(&app, &team.owner, email, "guest").await;
        let _ = send_form(&app, "invitation", &token, fields).await.is(200);
    }
    let events: Vec<(String, Option<String>, bool)> = sqlx::query_as(
        "select e.action, a.name, e.org_id is not null from audit_events e left join accounts a on a.id = e.actor_id
         where e.action in ('invitation.accepted', 'invitation.declined', 'account.created', 'session.ended')
         order by e.id",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap();
    let event = |action: &str, actor: Option<&str>, in_org| (action.to_owned(), actor.map(str::to_owned), in_org);
    assert_eq!(
        events,
        [
            event("account.created", None, false),
            event("session.ended", Some("Ada"), false),
            event("invitation.accepted", Some("Ada"), true),
            event("account.created", Some("Zoe"), false),
            event("invitation.accepted", Some("Zoe"), true),
            event("invitation.declined", None, true),
        ]
    );
}

#[tokio::test]
async fn declining_is_one_button_and_makes_room_for_another_invitation() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let token = invite(&app, &team.owner, "zoe@example.org", "guest").await;
    let mut browser = Browser::start().await;
    browser.open(&link(&app, "invitation", &token)).await;
    // Fields that are required do not stand in the way of a no.
    assert_eq!(browser.follow("button[value=decline]").await, 200);
    assert_eq!(browser.text("h1").await, "You have declined");
    standards::hold(&mut browser, "invitation-declined").await;
    assert_eq!(browser.open(&link(&app, "invitation", &token)).await, 404);
    assert_eq!(team.owner.get("/invitations").await.is(200).json()["data"], json!([]));
    invite(&app, &team.owner, "zoe@example.org", "guest").await;
}

#[tokio::test]
async fn the_pages_of_an_invitation_keep_the_standards() {
    let app = TestApp::start().await;
    let team = app.team().await;
    with_account(&app, "ada@example.org", "Ada").await;
    let (new, known) = (
        invite(&app, &team.admin, "zoe@example.org", "member").await,
        invite(&app, &team.admin, "ada@example.org", "guest").await,
    );
    let mut browser = Browser::start().await;
    browser.open(&link(&app, "invitation", &known)).await;
    standards::hold(&mut browser, "invitation-known").await;
    browser.open(&link(&app, "invitation", &new)).await;
    standards::hold(&mut browser, "invitation-new").await;
    browser.fill("#name", "Zoë").await;
    browser.fill("#password", "too short").await;
    assert_eq!(browser.follow("button[value=join]").await, 422);
    standards::hold(&mut browser, "invitation-faults").await;
    browser.fill("#password", PASSWORD).await;
    browser.follow("button[value=join]").await;
    standards::hold(&mut browser, "invitation-joined").await;
}

#[tokio::test]
async fn a_keyboard_is_enough_and_faults_stand_at_their_fields() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let token = invite(&app, &team.owner, "zoe@example.org", "member").await;
    let mut browser = Browser::start().await;
    browser.open(&link(&app, "invitation", &token)).await;
    let stops = standards::walk(&mut browser).await;
    let stops: Vec<&str> = stops.iter().map(|stop| stop.split(' ').next().unwrap()).collect();
    assert_eq!(stops, ["input#account", "input#name", "input#password", "button", "button"]);
    for text in ["", "Zoë", "too short"] {
        browser.tab().await;
        browser.type_text(text).await;
    }
    assert_eq!(browser.enter().await, 422);
    assert!(browser.title().await.starts_with("Not yet: "));
    let said = "Password - Password must have 12 to 256 characters.";
    assert_eq!(browser.spoken("textbox").await, ["E-mail address", "Name - What the others will call you.", said]);
    assert_eq!(browser.attribute("#name", "value").await.as_deref(), Some("Zoë"));
    assert_eq!(browser.attribute("#password", "value").await.as_deref(), Some(""), "secrets are not sent back");
    // The focus is where the fault is.
    browser.type_text(PASSWORD).await;
    assert_eq!(browser.enter().await, 200);
    assert_eq!(seen_by(&app, &team, "zoe@example.org", PASSWORD).await["role"], "member");
}

#[tokio::test]
async fn looking_at_an_invitation_changes_nothing() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let token = invite(&app, &team.owner, "zoe@example.org", "member").await;
    let path = format!("/links/invitation/{token}");
    let before = everything(&app).await;
    let scanner = app.stranger();
    for method in [Method::GET, Method::GET, Method::HEAD] {
        let request = scanner.request(method.clone(), &path).header("Sec-Purpose", "prefetch");
        let _ = scanner.send(request, method.to_string()).await.is(200);
    }
    for query in ["answer=decline", "answer=join&name=Zoe&password=correct+horse+battery"] {
        let _ = scanner.get(&format!("{path}?{query}")).await.is(200);
    }
    for (fields, status) in [
        (&[][..], 422),
        (&[("answer", "maybe")], 422),
        (&[("answer", "decline"), ("answer", "decline")], 422),
        (&[("answer", "decline"), ("org_id", "1")], 422),
        (&[("answer", "join"), ("name", "Zoe")], 422),
    ] {
        let reply = send_form(&app, "invitation", &token, fields).await.is(status);
        assert!(reply.text().contains("class=\"fault\""), "{}", reply.text());
    }
    assert_unchanged(&app, &before).await;
    let guess = [("answer", "accept"), ("password", PASSWORD)];
    let _ = send_form(&app, "invitation", &token, &guess).await.is(401);
    let _ = send_form(&app, "invitation", &token, &[("answer", "decline")]).await.is(200);
}

#[tokio::test]
async fn an_invitation_that_cannot_be_answered_opens_the_page_of_every_dead_link() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let dead = app.stranger().get("/links/invitation/x").await.is(404);
    let orphaned = invite(&app, &team.admin, "eve@example.org", "guest").await;
    let demotion = json!({ "role": "member" });
    let _ = team.owner.put(&format!("/members/{}/role", team.admin.id), demotion).await.is(200);
    let old = invite(&app, &team.owner, "old@example.org", "guest").await;
    sqlx::query("update invitations set expires_at = now() where email = 'old@example.org'")
        .execute(&app.admin)
        .await
        .unwrap();
    let verification = sign_up(&app, "zoe@example.org", "Zoe").await;
    for token in [orphaned, old, verification, Token::random().unwrap().reveal()] {
        let shown = app.stranger().get(&format!("/links/invitation/{token}")).await.is(404);
        assert_eq!(shown.text(), dead.text());
        for fields in [&[("answer", "decline")][..], &[("answer", "join"), ("name", "Z"), ("password", PASSWORD)]] {
            assert_eq!(send_form(&app, "invitation", &token, fields).await.is(404).text(), dead.text());
        }
    }
}

#[tokio::test]
async fn a_role_above_the_inviters_own_is_shown_and_given_as_theirs() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let set = async |role: &str| {
        let path = format!("/members/{}/role", team.admin.id);
        let _ = team.owner.put(&path, json!({ "role": role })).await.is(200);
    };
    set("owner").await;
    let token = invite(&app, &team.admin, "zoe@example.org", "owner").await;
    set("admin").await;
    let shown = app.stranger().get(&format!("/links/invitation/{token}")).await.is(200);
    assert!(shown.text().contains("<dd>admin</dd>"), "{}", shown.text());
    let join = [("answer", "join"), ("name", "Zoe"), ("password", PASSWORD)];
    let _ = send_form(&app, "invitation", &token, &join).await.is(200);
    assert_eq!(seen_by(&app, &team, "zoe@example.org", PASSWORD).await["role"], "admin");
}

#[tokio::test]
async fn an_invitation_overwrites_no_account_and_voids_what_strangers_planted() {
    let app = TestApp::start().await;
    let team = app.team().await;
    with_account(&app, "ada@example.org", "Ada").await;
    let for_ada = invite(&app, &team.owner, "ada@example.org", "guest").await;
    let join = |password| [("answer", "join"), ("name", "Mallory"), ("password", password)];
    let _ = send_form(&app, "invitation", &for_ada, &join("planted by mallory")).await.is(404);
    assert!(signed_in(&app, "ada@example.org", "planted by mallory").await.is_none());
    assert!(signed_in(&app, "ada@example.org", PASSWORD).await.is_some());

    // Somebody signed up with Zoe's address; she joins by her invitation.
    let planted = sign_up(&app, "zoe@example.org", "Mallory").await;
    let for_zoe = invite(&app, &team.owner, "zoe@example.org", "guest").await;
    let _ = send_form(&app, "invitation", &for_zoe, &join("her own good password")).await.is(200);
    app.stranger().post("/v1/verifications", json!({ "token": planted })).await.is_problem(404, "not_found");
    assert!(signed_in(&app, "zoe@example.org", PASSWORD).await.is_none());
    assert!(signed_in(&app, "zoe@example.org", "her own good password").await.is_some());
}

#[tokio::test]
async fn two_who_join_by_one_invitation_at_once_are_one_member() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let token = invite(&app, &team.owner, "zoe@example.org", "guest").await;
    let row: uuid::Uuid = sqlx::query_scalar("select id from invitations").fetch_one(&app.admin).await.unwrap();
    assert_eq!(app.key.mailed_token(Purpose::Invitation, row).reveal(), token);
    // The invitation is held by somebody else, so that both stand in the middle of their work when it is let go.
    let mut held = app.admin.begin().await.unwrap();
    sqlx::query("select id from invitations for update").fetch_one(&mut *held).await.unwrap();
    let join = async |name: &str, password: &str| {
        let fields = [("answer", "join"), ("name", name), ("password", password)];
        send_form(&app, "invitation", &token, &fields).await.status()
    };
    let let_go = async {
        harness::eventually("both wait", async || (app.waiting().await == 2).then_some(())).await;
        held.rollback().await.unwrap();
    };
    let (one, other, ()) = tokio::join!(join("Zoe", "one good password"), join("Zoë", "another good password"), let_go);
    let mut statuses = [one, other];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404]);
    let members: i64 = sqlx::query_scalar(
        "select count(*) from memberships m join accounts a on a.id = m.account_id where email = 'zoe@example.org'",
    )
    .fetch_one(&app.admin)
    .await
    .unwrap();
    assert_eq!(members, 1);
}
