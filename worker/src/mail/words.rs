//! The words of each mail. A new mail is a template folder, its facts, and a line in each of the two lists here.

use askama::Template;
use common::{
    mails::{Content, Subject},
    secrets::{Purpose, ServerKey},
};

use super::{
    facts::{
        AlreadyRegistered, Comment, Digest, EmailChange, Invitation, Notice, Pages, PasswordReset, Reminder, Reminders,
        Verification, link, moment,
    },
    style::inlined,
    text::{one_line, wrapped},
};

/// A mail's words, before they are put into headers and parts.
pub(super) struct Words {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// Writes `impl Words` for facts from the three templates of a folder. In them, `m` is the facts; only HTML is escaped.
macro_rules! templates {
    ($($facts:ty: $subject:tt $text:tt $html:tt;)+) => {$(
        impl $facts {
            fn words(&self) -> askama::Result<Words> {
                #[derive(Template)]
                #[template(path = $subject, escape = "none")]
                #[allow(dead_code, reason = "a subject may name no facts")]
                struct SubjectLine<'a> {
                    m: &'a $facts,
                }
                #[derive(Template)]
                #[template(path = $text, escape = "none")]
                struct Text<'a> {
                    m: &'a $facts,
                }
                #[derive(Template)]
                #[template(path = $html, escape = "html")]
                struct Html<'a> {
                    m: &'a $facts,
                }
                Ok(Words {
                    subject: SubjectLine { m: self }.render()?,
                    text: wrapped(&Text { m: self }.render()?),
                    html: inlined(&Html { m: self }.render()?),
                })
            }
        }
    )+};
}

templates! {
    Reminder: "reminder/subject.txt" "reminder/body.txt" "reminder/body.html";
    Reminders: "reminders/subject.txt" "reminders/body.txt" "reminders/body.html";
    Invitation: "invitation/subject.txt" "invitation/body.txt" "invitation/body.html";
    Verification: "verification/subject.txt" "verification/body.txt" "verification/body.html";
    AlreadyRegistered: "already_registered/subject.txt" "already_registered/body.txt" "already_registered/body.html";
    PasswordReset: "password_reset/subject.txt" "password_reset/body.txt" "password_reset/body.html";
    EmailChange: "email_change/subject.txt" "email_change/body.txt" "email_change/body.html";
    Digest: "digest/subject.txt" "digest/body.txt" "digest/body.html";
    Comment: "comment/subject.txt" "comment/body.txt" "comment/body.html";
    Notice: "notice/subject.txt" "notice/body.txt" "notice/body.html";
}

pub(super) fn words(content: &Content, base_url: &str, key: &ServerKey) -> askama::Result<Words> {
    let pages = Pages { base_url, key };
    let base_url = base_url.to_owned();
    let name = content.name.as_deref().map(one_line).unwrap_or_default();
    match &content.about {
        Subject::Reminder(about) => Reminder::of(about, name, content.date, &pages).words(),
        Subject::Reminders { reminders } => Reminders::of(reminders, &name, content.date, &pages).words(),
        Subject::Invitation { id, organization, inviter, role, expires_at } => {
            let token = key.mailed_token(Purpose::Invitation, *id).reveal();
            Invitation {
                organization: one_line(organization),
                inviter: one_line(inviter),
                role: one_line(role),
                until: moment(*expires_at),
                link: link(&base_url, "invitation", &token),
                base_url,
                token,
            }
            .words()
        }
        Subject::Verification { id, expires_at } => {
            let token = key.mailed_token(Purpose::Verification, *id).reveal();
            Verification { until: moment(*expires_at), link: link(&base_url, "verify", &token), base_url, token }
                .words()
        }
        Subject::AlreadyRegistered => AlreadyRegistered { name }.words(),
        Subject::PasswordReset { id, expires_at } => {
            let token = key.mailed_token(Purpose::PasswordReset, *id).reveal();
            PasswordReset { name, until: moment(*expires_at), link: link(&base_url, "reset", &token), base_url, token }
                .words()
        }
        Subject::EmailChange { id, old, new_email, expires_at } => {
            let purpose = if *old { Purpose::EmailOld } else { Purpose::EmailNew };
            let token = key.mailed_token(purpose, *id).reveal();
            EmailChange {
                old: *old,
                new_email: one_line(new_email),
                until: moment(*expires_at),
                link: link(&base_url, "email", &token),
                base_url,
                token,
            }
            .words()
        }
        Subject::Digest(about) => Digest::of(about, name, content.date, &pages).words(),
        Subject::Comment(about) => Comment::of(about, name, &pages).words(),
        Subject::Notice(notice) => Notice::of(notice, name).words(),
    }
}
