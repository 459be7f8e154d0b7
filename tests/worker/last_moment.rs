//! Between the reading of a mail and commit 2 things happen that cancel nothing: commit 2 sees them, and the reading after it says why.

use common::{
    db::Db,
    ids::MailId,
    mails::{self, Attempt, Claim, Content, Outcome, Phase, Said, Unsaid},
};
use harness::{Actor, TestApp};
use serde_json::{Value, json};
use uuid::Uuid;

const GONE: &str = "the recipient cannot see the project any more";
const ENDS: (&str, &str, &str) = (
    "update organizations set deletion_due_at = now() + interval '1 day'",
    "update organizations set deletion_due_at = null",
    "the organization is being deleted",
);
const SUSPENDED: (&str, &str) = (
    "update memberships set status = 'suspended' where role = 'member'",
    "update memberships set status = 'active' where role = 'member'; delete from replans",
);
const REMOVED: (&str, &str) = (
    "update memberships set status = 'removed' where role = 'member'",
    "update memberships set status = 'active' where role = 'member'; delete from replans",
);
const PRIVATE: (&str, &str) = ("update projects set visibility = 'private'", "update projects set visibility = 'open'");
const ARCHIVED: (&str, &str) = ("update projects set archived_at = now()", "update projects set archived_at = null");
const MUTED: &str = "insert into task_watches (org_id, task_id, account_id, state)
    select distinct org_id, task_id, account_id, 'muted' from deliveries where cancelled_at is null and kind <> 'digest'
    on conflict (org_id, task_id, account_id) do update set state = 'muted'";
const PROJECT_MUTED: (&str, &str) = (
    "insert into project_mutes (org_id, project_id, account_id)
     select p.org_id, p.id, m.account_id from projects p join memberships m on m.org_id = p.org_id and m.role = 'member'",
    "delete from project_mutes",
);
/// Everybody's clock has changed.
const REPLANNED: &str = "insert into replans (org_id, account_id)
    select org_id, account_id from memberships where role = 'member' on conflict do nothing";

pub(crate) async fn arrange(app: &TestApp, statement: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&app.admin).await.unwrap();
}

/// What somebody does not want to hear of, as a row of their settings.
async fn refuse(app: &TestApp, what: &str) {
    let row = format!(
        "insert into notification_settings (org_id, account_id, {what})
         select org_id, account_id, false from memberships where role = 'member'
         on conflict (org_id, account_id) do update set {what} = false"
    );
    arrange(app, &row).await;
}

pub(crate) async fn read(db: &Db, claim: &Claim) -> Said {
    let scope = db.for_job(claim.org, claim.account).await.unwrap();
    mails::content(scope, claim).await.unwrap()
}

pub(crate) async fn claimed(app: &TestApp, db: &Db, mail: Uuid) -> Claim {
    arrange(app, &format!("update mails set next_at = now() where id = '{mail}'")).await;
    // Whoever hints at it at this moment holds it, and is passed by.
    harness::eventually("it is claimed", async || mails::claim(db, MailId(mail), "hand").await.unwrap()).await
}

/// The mail that waits, in a worker's hands, and what it says.
pub(crate) async fn in_hand(app: &TestApp, db: &Db) -> (Claim, Content) {
    let waits = "select id from mails where state = 'scheduled'";
    let mail: Uuid = sqlx::query_scalar(waits).fetch_one(&app.admin).await.unwrap();
    let claim = claimed(app, db, mail).await;
    let said = read(db, &claim).await.unwrap();
    (claim, said)
}

pub(crate) async fn end(db: &Db, claim: &Claim, outcome: Outcome) {
    let attempt = Attempt { worker: "hand", phase: Phase::Envelope, reply: None };
    assert!(mails::finish(db, claim, &outcome, &attempt).await.unwrap());
}

pub(crate) fn void(why: &str) -> Said {
    Err(Unsaid::Void(why.to_owned().into()))
}

/// Whether what is in a worker's hands is neither marked nor said again, for this reason, once that has happened.
async fn is_seen(db: &Db, (claim, said): (Claim, Content), why: &str) {
    assert!(!mails::mark_sending(db, &claim, &said).await.unwrap(), "{why}");
    assert_eq!(read(db, &claim).await, void(why));
    end(db, &claim, Outcome::Cancelled).await;
}

/// And that it is marked if nothing has; or only something that concerns nobody.
pub(crate) async fn is_marked(db: &Db, (claim, said): (Claim, Content)) {
    assert!(mails::mark_sending(db, &claim, &said).await.unwrap());
    end(db, &claim, Outcome::Sent).await;
}

/// And that while somebody's reminders are to be planned anew it waits.
async fn waits_for_a_plan(app: &TestApp, db: &Db, (claim, said): (Claim, Content)) {
    arrange(app, REPLANNED).await;
    assert!(!mails::mark_sending(db, &claim, &said).await.unwrap());
    assert!(matches!(read(db, &claim).await, Err(Unsaid::NotNow(_))));
    arrange(app, "delete from replans").await;
    is_marked(db, (claim, said)).await;
}

#[tokio::test]
async fn whatever_a_reminder_hangs_on_is_asked_at_the_last_moment() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (db, _) = app.worker_db().await;
    for (change, back, why) in [
        (
            "update tasks set status = 'completed', completed_at = now(), completed_by = created_by",
            "update tasks set status = 'open', completed_at = null, completed_by = null",
            "task completed",
        ),
        (
            "update tasks set deleted_at = now(), deleted_by = created_by",
            "update tasks set deleted_at = null, deleted_by = null",
            "task deleted",
        ),
        (ARCHIVED.0, ARCHIVED.1, "project archived"),
        ("delete from task_assignees", "select", "unassigned"),
        (MUTED, "select", "muted"),
        (PROJECT_MUTED.0, PROJECT_MUTED.1, "project muted"),
        ("update reminders set removed_at = now()", "select", "reminder removed"),
        ENDS,
        (SUSPENDED.0, SUSPENDED.1, GONE),
        (REMOVED.0, REMOVED.1, GONE),
        (PRIVATE.0, PRIVATE.1, GONE),
    ] {
        team.reminded_task(&project, "Look", 3600).await;
        let hand = in_hand(&app, &db).await;
        arrange(&app, change).await;
        is_seen(&db, hand, why).await;
        arrange(&app, back).await;
    }
    for title in ["Nothing has happened", "Planned anew", "Not wanted"] {
        team.reminded_task(&project, title, 3600).await;
        let hand = in_hand(&app, &db).await;
        match title {
            "Nothing has happened" => is_marked(&db, hand).await,
            "Planned anew" => waits_for_a_plan(&app, &db, hand).await,
            _ => {
                refuse(&app, "reminders").await;
                is_seen(&db, hand, "unsubscribed").await;
            }
        }
    }
}

#[tokio::test]
async fn whatever_takes_the_sight_of_a_task_from_somebody_is_seen_at_the_last_moment() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (db, _) = app.worker_db().await;
    let (itself, grant) = (format!("/projects/{project}"), format!("/projects/{project}/grants/{}", team.member.id));
    let role = format!("/members/{}/role", team.member.id);
    let to = |role: &str| json!({ "role": role });
    let reader = json!({ "key": "reader", "name": "Reader", "permissions": ["tasks:read"] });
    let _ = team.owner.post("/roles", reader).await.is(201);
    let (open, private) = (json!({ "visibility": "open" }), json!({ "visibility": "private" }));
    let blind = json!({ "permissions": ["members:list"] });
    let unchanged = ("PATCH", &itself, &json!({ "name": "Ours" }));
    let last = "/roles/reader".to_owned();
    // What is arranged, what happens then, and whether it takes anything.
    for (before, change, seen) in [
        (unchanged, ("PATCH", &itself, &private), true),
        (("PUT", &grant, &to("viewer")), ("DELETE", &grant, &json!(null)), true),
        (("PUT", &grant, &to("editor")), ("PUT", &grant, &to("viewer")), false),
        (("PATCH", &itself, &open), ("DELETE", &grant, &json!(null)), false),
        (unchanged, ("PUT", &role, &to("guest")), true),
        (("PUT", &role, &to("reader")), ("PATCH", &last, &blind), true),
    ] {
        call(&team.owner, before).await;
        // What they have come to see by it is not planned here.
        arrange(&app, "delete from replans").await;
        team.reminded_task(&project, "Look", 3600).await;
        let hand = in_hand(&app, &db).await;
        call(&team.owner, change).await;
        if seen { is_seen(&db, hand, GONE).await } else { is_marked(&db, hand).await }
    }
}

async fn call(actor: &Actor, (method, path, body): (&str, &String, &Value)) {
    let reply = match method {
        "PUT" => actor.put(path, body.clone()).await,
        "PATCH" => actor.patch(path, body.clone()).await,
        _ => actor.delete(path).await,
    };
    assert!(matches!(reply.status(), 200 | 204), "{reply:?}");
}

#[tokio::test]
async fn whatever_a_comments_mail_hangs_on_is_asked_at_the_last_moment() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let new = json!({ "project": project, "title": "Oil the gears" });
    let task = team.owner.post("/tasks", new).await.is(201).text_at("/id");
    let (db, _) = app.worker_db().await;
    let say = async || {
        let said = json!({ "body": format!("<@{}>", team.member.id) });
        let _ = team.owner.post(&format!("/tasks/{task}/comments"), said).await.is(201);
        in_hand(&app, &db).await
    };
    for (change, back, why) in [
        (
            "update comments set body = '', deleted_at = now(), deleted_by = author_id where deleted_at is null",
            "select",
            "comment deleted",
        ),
        (
            "update tasks set deleted_at = now(), deleted_by = created_by",
            "update tasks set deleted_at = null, deleted_by = null",
            "task deleted",
        ),
        (ARCHIVED.0, ARCHIVED.1, "project archived"),
        (MUTED, "delete from task_watches", "muted"),
        (PROJECT_MUTED.0, PROJECT_MUTED.1, "project muted"),
        (
            "delete from comment_mentions; delete from task_watches",
            "select",
            "the recipient does not watch the task any more",
        ),
        ENDS,
        (SUSPENDED.0, SUSPENDED.1, GONE),
        (REMOVED.0, REMOVED.1, GONE),
        (PRIVATE.0, PRIVATE.1, GONE),
    ] {
        let hand = say().await;
        arrange(&app, change).await;
        is_seen(&db, hand, why).await;
        arrange(&app, back).await;
    }
    is_marked(&db, say().await).await;
    let hand = say().await;
    refuse(&app, "comments").await;
    is_seen(&db, hand, "unsubscribed").await;
}

#[tokio::test]
async fn whatever_a_digest_hangs_on_is_asked_at_the_last_moment() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (db, _) = app.worker_db().await;
    let new = json!({
        "project": project, "title": "Oil the gears", "assignees": [team.member.id], "due": { "date": "2020-01-01" }, "reminders": [],
    });
    let _ = team.owner.post("/tasks", new).await.is(201);
    let wanted = json!({ "digest": { "hour": "07:30", "days": ["monday"] } });
    let _ = team.member.patch("/notification-settings", wanted).await.is(200);
    let owed = async || {
        let former = "update deliveries set digest_on = (select min(digest_on) - 1 from deliveries)
                      where digest_on = (select max(digest_on) from deliveries)";
        arrange(&app, former).await;
        arrange(&app, "update notification_settings set next_digest_at = now() - interval '1 minute'").await;
        assert_eq!(common::digests::owe_due(&db, 10).await.unwrap(), 1);
        in_hand(&app, &db).await
    };
    let inactive = "the recipient is no active member any more";
    for (change, back, why) in [ENDS, (SUSPENDED.0, SUSPENDED.1, inactive), (REMOVED.0, REMOVED.1, inactive)] {
        let hand = owed().await;
        arrange(&app, change).await;
        is_seen(&db, hand, why).await;
        arrange(&app, back).await;
    }
    is_marked(&db, owed().await).await;
    waits_for_a_plan(&app, &db, owed().await).await;
    let hand = owed().await;
    let none = "update notification_settings set digest_hour = null, digest_days = null, next_digest_at = null";
    arrange(&app, none).await;
    is_seen(&db, hand, "unsubscribed").await;
}

#[tokio::test]
async fn an_invitation_into_an_organization_that_is_about_to_end_is_not_sent() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (db, _) = app.worker_db().await;
    for (email, ends) in [("eve@example.org", false), ("ada@example.org", true)] {
        let _ = team.owner.post("/invitations", json!({ "email": email, "role": "guest" })).await.is(201);
        let hand = in_hand(&app, &db).await;
        if ends {
            arrange(&app, ENDS.0).await;
            is_seen(&db, hand, "the invitation is void, or its delivery cancelled").await;
        } else {
            is_marked(&db, hand).await;
        }
    }
}
