use std::net::Ipv4Addr;

use harness::TestApp;
use local::Inbox;
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
