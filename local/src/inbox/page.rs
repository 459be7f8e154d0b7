//! The pages for people. Askama escapes every value; a mail's HTML is shown in a sandboxed frame.

use std::sync::Arc;

use askama::Template;

use super::message::Message;

/// How many mails the list shows: the newest are those that somebody looks for.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "inbox.html")]
struct List {
    total: usize,
    rows: Vec<Row>,
}

struct Row {
    id: u64,
    subject: String,
    to: String,
    received_at: String,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Mail {
    id: u64,
    subject: String,
    from: String,
    to: String,
    received_at: String,
    headers: Vec<(String, String)>,
    text: Option<String>,
    html: Option<String>,
}

/// The list, newest first.
pub(super) fn list(messages: &[Arc<Message>]) -> String {
    let rows = messages.iter().rev().take(SHOWN).map(|message| Row {
        id: message.id,
        subject: subject(message),
        to: message.to.join(", "),
        received_at: message.received_at_text(),
    });
    render(&List { total: messages.len(), rows: rows.collect() })
}

/// One mail.
pub(super) fn mail(message: &Message) -> String {
    // Links in a mail open beside the frame, which is too small and too confined for them.
    let html = message.html().map(|html| format!("<base target=\"_blank\">{html}"));
    render(&Mail {
        id: message.id,
        subject: subject(message),
        from: message.from.clone(),
        to: message.to.join(", "),
        received_at: message.received_at_text(),
        headers: message.headers(),
        text: message.text(),
        html,
    })
}

fn subject(message: &Message) -> String {
    let subject = message.subject();
    if subject.is_empty() { "(no subject)".into() } else { subject }
}

/// Writing to a string does not fail; should a template ever, the page says so.
fn render(page: &impl Template) -> String {
    page.render().unwrap_or_else(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn hostile_mail_is_escaped_everywhere() {
        let raw = "Subject: <script>alert(1)</script>\r\nX-Evil: \"><img src=x>\r\n\
                   MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
                   --b\r\nContent-Type: text/plain\r\n\r\n</pre><script>alert(2)</script>\r\n\
                   --b\r\nContent-Type: text/html\r\n\r\n<p>\"><script>alert(3)</script></p>\r\n--b--\r\n";
        let message = Arc::new(Message {
            id: 1,
            from: "\"<script>alert(4)</script>\"@example.com".into(),
            to: vec!["'onload='x@example.com".into()],
            received_at: SystemTime::UNIX_EPOCH,
            raw: raw.into(),
        });
        for page in [list(&[Arc::clone(&message)]), mail(&message)] {
            assert!(page.contains("alert(1)"), "the subject is shown: {page}");
            for hostile in ["<script", "<img", "'onload"] {
                assert!(!page.contains(hostile), "{hostile} got through: {page}");
            }
        }
        assert!(mail(&message).contains("srcdoc=\"&#60;base"));
    }
}
