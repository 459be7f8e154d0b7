//! From what somebody says about a task to the inboxes of those whom it concerns.

use harness::{Team, TestApp};
use serde_json::json;

async fn task(team: &Team) -> String {
    let project = team.project("OPS", "open").await;
    team.owner.post("/tasks", json!({ "project": project, "title": "Oil the gears" })).await.is(201).text_at("/id")
}

#[tokio::test]
async fn who_is_mentioned_and_who_watches_reads_what_was_said() {
    let app = TestApp::start().await;
    let worker = app.work();
    let team = app.team().await;
    let task = task(&team).await;
    let _ = team.admin.put(&format!("/tasks/{task}/watch"), json!(null)).await.is(200);
    let body = format!("<@{}>, please look:\n\n    a < b\n", team.member.id);
    let _ = team.owner.post("/tasks/OPS-1/comments", json!({ "body": body })).await.is(201);
    for (reader, why) in
        [(&team.member, "owner mentioned you in OPS-1"), (&team.admin, "owner said something about OPS-1")]
    {
        let mail = app.mail_to(&reader.email).await;
        assert_eq!(mail.subject(), "Re: Oil the gears [OPS-1]");
        let text = mail.text().unwrap();
        assert!(text.contains(why), "{text}");
        assert!(text.contains("> @member, please look:") && text.contains(">     a < b"), "{text}");
        assert!(text.contains(&format!("/tasks/{task}")), "{text}");
    }
    assert_eq!(app.all_settled().await, ["sent", "sent"]);
    assert_eq!(app.inbox.messages().len(), 2, "not to the author");
    worker.stop().await;
}

#[tokio::test]
async fn what_became_superfluous_before_it_was_sent_is_not_sent() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let task = task(&team).await;
    let said = json!({ "body": format!("<@{}>", team.member.id) });
    // Each of these slips past what is cancelled in its own transaction.
    let superfluous = [
        ("update comments set body = '', deleted_at = now(), deleted_by = author_id", "comment deleted"),
        ("update tasks set deleted_at = now(), deleted_by = created_by", "task deleted"),
        ("update projects set archived_at = now()", "project archived"),
        ("update task_watches set state = 'muted'", "muted"),
        ("update projects set visibility = 'private'", "the recipient cannot see the project any more"),
        ("delete from comment_mentions; delete from task_watches", "the recipient does not watch the task any more"),
    ];
    let path = format!("/tasks/{task}/comments");
    for (statement, _) in superfluous {
        let _ = team.owner.post(&path, said.clone()).await.is(201);
        sqlx::raw_sql(statement).execute(&app.admin).await.unwrap();
        let worker = app.work();
        app.all_settled().await;
        worker.stop().await;
        let undo = "update comments set body = 'x', deleted_at = null, deleted_by = null where deleted_at is not null;
                    update tasks set deleted_at = null, deleted_by = null; update projects set visibility = 'open', archived_at = null;
                    delete from task_watches";
        sqlx::raw_sql(undo).execute(&app.admin).await.unwrap();
    }
    let reasons: Vec<(String, String)> =
        sqlx::query_as("select state, reason from mails order by id").fetch_all(&app.admin).await.unwrap();
    let expected = superfluous.map(|(_, reason)| ("cancelled".to_owned(), reason.to_owned()));
    assert_eq!(reasons, expected);
    assert!(app.inbox.messages().is_empty());
}
