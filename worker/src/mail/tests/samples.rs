//! What the mails of the tests tell of.

use common::mails::{
    CommentContent, Content, DigestContent, DigestTask, ExpiredReminder, Notice, ReminderContent, Subject,
};
use uuid::Uuid;

pub(super) fn content(about: Subject) -> Content {
    Content {
        to: "ada@example.net".into(),
        name: Some("Ada Lovelace".into()),
        date: "2026-12-01T08:00:01Z".parse().unwrap(),
        deliveries: Vec::new(),
        about,
    }
}

pub(super) fn reminder(title: &str) -> ReminderContent {
    ReminderContent {
        organization: "Analytical Engines".into(),
        org_slug: "engines".into(),
        project: "Operations".into(),
        task_id: Uuid::from_u128(42),
        task_key: "OPS-42".into(),
        title: title.into(),
        due: Some("2026-12-01 10:00 (Europe/Berlin)".into()),
        time_zone: "Europe/Berlin".into(),
        due_at: "2026-12-01T08:00:00Z".parse().unwrap(),
        delivery: Uuid::from_u128(77),
        occurrence: Some(1),
    }
}

/// Many, each about a task of its own.
pub(super) fn reminders(titles: &[&str]) -> Subject {
    let each = |(nth, title): (u128, &&str)| ReminderContent {
        task_id: Uuid::from_u128(100 + nth),
        task_key: format!("OPS-{nth}"),
        delivery: Uuid::from_u128(200 + nth),
        ..reminder(title)
    };
    Subject::Reminders { reminders: (1..).zip(titles).map(each).collect() }
}

pub(super) fn comment(body: &str, mentioned: bool) -> Subject {
    Subject::Comment(CommentContent {
        organization: "Analytical Engines".into(),
        org_slug: "engines".into(),
        project: "Operations".into(),
        task_id: Uuid::from_u128(42),
        task_key: "OPS-42".into(),
        title: "Oil the gears".into(),
        author: "Charles".into(),
        body: body.into(),
        mentioned,
        delivery: Uuid::from_u128(78),
    })
}

/// A day with all that a day can have, about tasks of this title.
pub(super) fn digest(title: &str) -> Subject {
    let task = |due: &str| DigestTask {
        project: "Operations".into(),
        task_key: "OPS-42".into(),
        title: title.into(),
        due: due.into(),
    };
    let due_at = "2026-12-01T08:00:00Z".parse().unwrap();
    Subject::Digest(DigestContent {
        delivery: Uuid::from_u128(79),
        organization: "Analytical Engines".into(),
        org_slug: "engines".into(),
        day: "2026-12-01".parse().unwrap(),
        time_zone: "Europe/Berlin".into(),
        due_at,
        overdue: vec![task("2026-11-30"), task("2026-12-01 08:00 (Europe/Berlin)")],
        today: vec![task("2026-12-01")],
        week: vec![task("2026-12-08")],
        more: 3,
        expired: vec![ExpiredReminder {
            delivery: Uuid::from_u128(80),
            task_key: "OPS-43".into(),
            title: title.into(),
            due_at: "2026-11-30T08:00:00Z".parse().unwrap(),
        }],
        more_expired: 2,
    })
}

pub(super) fn invitation(id: Uuid, organization: &str) -> Subject {
    Subject::Invitation {
        id,
        organization: organization.into(),
        inviter: "Charles".into(),
        role: "member".into(),
        expires_at: "2026-12-08T08:00:00Z".parse().unwrap(),
    }
}

pub(super) fn verification(id: Uuid) -> Subject {
    Subject::Verification { id, expires_at: "2026-12-02T08:00:00Z".parse().unwrap() }
}

pub(super) fn every_mail() -> Vec<Subject> {
    let until: jiff::Timestamp = "2026-12-02T08:00:00Z".parse().unwrap();
    let (id, new_email) = (Uuid::from_u128(3), "countess@example.net".to_owned());
    let text = || "Ada".to_owned();
    let notices = [
        Notice::PasswordChanged,
        Notice::PasswordReset,
        Notice::SecondFactorEnabled,
        Notice::SecondFactorDisabled,
        Notice::DeletionRequested { due_at: until },
        Notice::Transferred { organization: text(), to: text() },
        Notice::GlassBroken { organization: text(), project: text(), by: text(), reason: text() },
        Notice::OrganizationDeleted { organization: text(), by: text(), due_at: until },
    ];
    let mut all = vec![
        Subject::PasswordReset { id, expires_at: until },
        Subject::EmailChange { id, old: true, new_email: new_email.clone(), expires_at: until },
        Subject::EmailChange { id, old: false, new_email, expires_at: until },
        Subject::Reminder(reminder("Oil the gears")),
        reminders(&["Oil the gears", "Water the plants", "Wind the clock"]),
        digest("Oil the gears"),
        invitation(Uuid::from_u128(1), "Analytical Engines"),
        verification(Uuid::from_u128(2)),
        Subject::AlreadyRegistered,
        comment("@Ada, look:\n\n    the gear", true),
        comment("Done.", false),
    ];
    all.extend(notices.map(Subject::Notice));
    all
}
