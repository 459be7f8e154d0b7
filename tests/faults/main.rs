//! What breaks, breaks here on purpose.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "in a test a panic is a verdict"
)]

mod mail_server;
mod redis;
mod worker;

/// Each delivery has gone out, in one mail and in no other; many to one person may share one.
pub(crate) async fn each_is_told_once(app: &harness::TestApp, deliveries: usize) {
    app.all_settled().await;
    let sent: Vec<uuid::Uuid> =
        sqlx::query_scalar("select d.id from deliveries d join mails m on m.id = d.mail_id where m.state = 'sent'")
            .fetch_all(&app.admin)
            .await
            .unwrap();
    assert_eq!(sent.len(), deliveries);
    let texts: Vec<String> = app.inbox.messages().iter().map(|mail| mail.text().unwrap().clone()).collect();
    for delivery in sent {
        let token = app.key.mailed_token(common::secrets::Purpose::Delivery, delivery).reveal();
        assert_eq!(texts.iter().filter(|text| text.contains(&token)).count(), 1, "{delivery}");
    }
}
