use std::{
    net::Ipv4Addr,
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
};

use harness::TestApp;
use local::Inbox;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};
use url::Url;

#[tokio::test]
async fn a_mail_server_that_is_down_gets_the_mail_when_it_is_up() {
    let app = TestApp::start().await;
    let port = local::free_port().unwrap();
    let worker = app.work_with(&Url::parse(&format!("smtp+plain://127.0.0.1:{port}")).unwrap());
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "Later", 1).await;
    harness::eventually("the mail is to be tried again", async || {
        app.mail_states().await.contains(&"retry".to_owned()).then_some(())
    })
    .await;
    let inbox = Inbox::start((Ipv4Addr::LOCALHOST, port).into(), None).await.unwrap();
    assert_eq!(app.all_settled().await, ["sent"]);
    assert_eq!(inbox.messages().len(), 1);
    let tries: Vec<(String, String)> =
        sqlx::query_as("select phase, outcome from attempts order by fence").fetch_all(&app.admin).await.unwrap();
    assert_eq!(tries.first().unwrap(), &("connect".to_owned(), "retry".to_owned()));
    assert_eq!(tries.last().unwrap(), &("done".to_owned(), "sent".to_owned()));
    worker.stop().await;
}

/// A mail server that greets everybody with `greeting`; how many came.
async fn greets(listener: TcpListener, greeting: &'static str, came: Arc<AtomicUsize>) {
    while let Ok((socket, _)) = listener.accept().await {
        came.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            let mut socket = BufReader::new(socket);
            let _ = socket.get_mut().write_all(greeting.as_bytes()).await;
            let _ = socket.read_line(&mut String::new()).await;
        });
    }
}

/// Three hundred reminders of as many people.
async fn three_hundred(app: &TestApp) {
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = team.reminded_task(&project, "Many", 3600).await;
    sqlx::query(
        "with people as (
             insert into accounts (id, email, name, password_hash, email_verified_at)
             select gen_random_uuid(), 'person-' || n || '@example.org', 'A person', 'none', now() from generate_series(1, 300) n returning id
         ), members as (
             insert into memberships (org_id, account_id, role) select $1, id, 'member' from people
         ), assigned as (
             insert into task_assignees (org_id, task_id, account_id) select $1, $2, id from people
         ), many as (
             select gen_random_uuid() as mail, id from people
         ), written as (
             insert into mails (id, org_id, account_id, kind, due_at, next_at, expires_at)
             select mail, $1, id, 'reminder', now(), now(), now() + interval '1 hour' from many
         )
         insert into deliveries (id, org_id, account_id, mail_id, kind, reminder_id, task_id, due_at)
         select gen_random_uuid(), $1, id, mail, 'reminder', $3, $2, now() from many",
    )
    .bind(team.id.0)
    .bind(task["id"].as_str().unwrap().parse::<uuid::Uuid>().unwrap())
    .bind(task["reminders"][0]["id"].as_str().unwrap().parse::<uuid::Uuid>().unwrap())
    .execute(&app.admin)
    .await
    .unwrap();
    // The one that was planned is not of the three hundred.
    sqlx::query("update mails set state = 'cancelled' where next_at > now()").execute(&app.admin).await.unwrap();
}

#[tokio::test]
async fn a_mail_server_that_refuses_us_is_asked_by_one_mail_at_a_time_and_the_others_keep_their_tries() {
    let app = TestApp::start().await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let came = Arc::new(AtomicUsize::new(0));
    let server = tokio::spawn(greets(listener, "554 we do not know you\r\n", Arc::clone(&came)));
    three_hundred(&app).await;
    let worker = app.work_with(&Url::parse(&format!("smtp+plain://{address}")).unwrap());
    // The mails in hand when it opened, and a few that went ahead.
    let tried =
        async || -> i64 { sqlx::query_scalar("select count(*) from attempts").fetch_one(&app.admin).await.unwrap() };
    let before =
        harness::eventually("it has refused us", async || Some(tried().await).filter(|tried| *tried > 0)).await;
    let next = came.load(Ordering::Relaxed) + 2;
    harness::eventually("two more have gone ahead", async || (came.load(Ordering::Relaxed) >= next).then_some(()))
        .await;
    assert!(tried().await <= 80, "{before}, then {}", tried().await);
    // It lets us in again: all of them go out, without anybody's help.
    server.abort();
    let _ = server.await;
    let inbox = Inbox::start(address, None).await.unwrap();
    sqlx::query("update mails set next_at = now() where state = 'retry'").execute(&app.admin).await.unwrap();
    harness::eventually("all are sent", async || (inbox.messages().len() == 300).then_some(())).await;
    worker.stop().await;
}
