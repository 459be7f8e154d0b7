//! The checker finds each fault, by name, in journals made by hand; and none in one that is well.

use std::collections::HashMap;

use harness::verify::{
    Clock,
    checker::{Fault, Verdict, check},
    journal::{Delivery, Journals, Occurrence, Promise, Step, Withdrawn},
    smtp::Mail,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

const TASK: &str = "zt00000000a1";
const OTHER: &str = "zt00000000a2";
const ORG: &str = "zo0000000001";
const PERSON: &str = "zp0000000001";

/// Seconds after the reminder is due.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap().checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn mail(number: u128, to: &str, tasks: &str, seconds: i64) -> Mail {
    let said = format!("Hello {PERSON}, {tasks} in {ORG}");
    let raw = format!(
        "Message-ID: <{}@taskbell>\r\nSubject: {tasks}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\n{said}\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>{said}</p>\r\n--b--\r\n",
        id(number)
    );
    let [begun_at, asked_at, taken_at] = [at(seconds); 3];
    Mail { begun_at, asked_at, taken_at, to: vec![to.to_owned()], raw: raw.into_bytes() }
}

fn step(to: &str, seconds: i64) -> Step {
    Step { at: at(seconds), to: to.to_owned(), reason: None }
}

fn delivery(number: u128, mail: u128, task: &str) -> Delivery {
    Delivery {
        id: id(number),
        mail: id(mail),
        state: "sent".to_owned(),
        cancelled: false,
        due_at: at(0),
        title: format!("Task {task}"),
        email: "ada@example.org".to_owned(),
    }
}

fn promise(task: &str, delivery: u128) -> Promise {
    Promise {
        marker: task.to_owned(),
        org: ORG.to_owned(),
        person: PERSON.to_owned(),
        email: "ada@example.org".to_owned(),
        occurrences: vec![Occurrence {
            delivery: Some(id(delivery)),
            due_at: at(0),
            acknowledged: Some(at(-10)),
            withdrawn: None,
        }],
    }
}

/// One reminder, promised and kept.
fn well() -> Journals {
    Journals {
        promises: vec![promise(TASK, 1)],
        mails: vec![mail(9, "ada@example.org", TASK, 1)],
        deliveries: vec![delivery(1, 9, TASK)],
        steps: HashMap::from([(id(9), vec![step("claimed", 1), step("sending", 1), step("sent", 1)])]),
        clock: Clock { ahead_micros: 0, within_micros: 50 },
    }
}

fn spoilt(spoil: impl FnOnce(&mut Journals)) -> Verdict {
    let mut journals = well();
    spoil(&mut journals);
    check(&journals)
}

fn found(verdict: &Verdict) -> Vec<Fault> {
    verdict.faults.keys().copied().collect()
}

#[test]
fn what_was_promised_and_kept_is_clean() {
    let verdict = check(&well());
    assert!(verdict.is_clean(), "{verdict}");
    assert_eq!((verdict.owed, verdict.mails, verdict.repeats), (1, 1, 0));
}

#[test]
fn a_mail_that_never_came_is_lost() {
    let verdict = spoilt(|j| {
        j.mails.clear();
        j.deliveries[0].state = "retry".to_owned();
    });
    assert_eq!(found(&verdict), [Fault::Lost]);
    // Also when the product has no row of it at all.
    let verdict = spoilt(|j| {
        j.mails.clear();
        j.deliveries.clear();
    });
    assert_eq!(found(&verdict), [Fault::Lost]);
}

#[test]
fn sent_by_the_log_and_not_there_is_lost_and_a_log_that_differs() {
    let verdict = spoilt(|j| j.mails.clear());
    assert_eq!(found(&verdict), [Fault::Lost, Fault::LogDiffers]);
    let verdict = spoilt(|j| j.deliveries[0].state = "scheduled".to_owned());
    assert_eq!(found(&verdict), [Fault::LogDiffers]);
}

#[test]
fn a_moment_before_its_time_is_early_by_postgres_clock() {
    assert_eq!(found(&spoilt(|j| j.mails[0] = mail(9, "ada@example.org", TASK, -1))), [Fault::Early]);
    // Postgres' clock is two seconds ahead of ours: there it was time.
    let verdict = spoilt(|j| {
        j.mails[0] = mail(9, "ada@example.org", TASK, -1);
        j.clock.ahead_micros = 2_000_000;
    });
    assert!(verdict.is_clean(), "{verdict}");
}

#[test]
fn the_same_under_another_message_id_is_seen_twice() {
    let verdict = spoilt(|j| {
        j.mails.push(mail(8, "ada@example.org", TASK, 2));
        j.deliveries.push(Delivery { due_at: at(1), ..delivery(2, 8, TASK) });
    });
    assert_eq!(found(&verdict), [Fault::SeenTwice]);
}

#[test]
fn a_copy_is_allowed_for_each_time_that_its_fate_was_unknown() {
    let again = |j: &mut Journals| j.mails.push(mail(9, "ada@example.org", TASK, 3));
    assert_eq!(found(&spoilt(again)), [Fault::Repeated]);
    let verdict = spoilt(|j| {
        again(j);
        j.steps.get_mut(&id(9)).unwrap().insert(2, step("uncertain", 2));
    });
    assert!(verdict.is_clean(), "{verdict}");
    assert_eq!((verdict.repeats, verdict.uncertain), (1, 1));
}

#[test]
fn a_copy_with_other_bytes_is_changed() {
    let verdict = spoilt(|j| {
        let mut copy = j.mails[0].clone();
        copy.raw.extend_from_slice(b"P.S.\r\n");
        j.mails.push(copy);
        j.steps.get_mut(&id(9)).unwrap().insert(2, step("uncertain", 2));
    });
    assert_eq!(found(&verdict), [Fault::Changed]);
}

/// Two in one mail, whose fate is unknown; then the second is taken back, and the mail comes again without it.
fn narrowed(j: &mut Journals) {
    let both = format!("{TASK} {OTHER}");
    j.mails = vec![mail(9, "ada@example.org", &both, 1), mail(9, "ada@example.org", TASK, 5)];
    j.promises.push(promise(OTHER, 2));
    j.promises[1].occurrences[0].withdrawn = Some(Withdrawn { asked_at: at(3), acknowledged: Some(at(3)) });
    j.deliveries.push(Delivery { cancelled: true, ..delivery(2, 9, OTHER) });
    let steps =
        [("claimed", 1), ("sending", 1), ("uncertain", 2), ("retry", 4), ("claimed", 5), ("sending", 5), ("sent", 6)];
    j.steps.insert(id(9), steps.map(|(to, seconds)| step(to, seconds)).into());
}

#[test]
fn a_copy_that_leaves_out_what_was_taken_back_is_not_changed_nor_was_that_sent_afterwards() {
    let verdict = spoilt(narrowed);
    assert!(verdict.is_clean(), "{verdict}");
    // But not what is still owed, and nothing is added.
    let verdict = spoilt(|j| {
        narrowed(j);
        j.promises[1].occurrences[0].withdrawn = None;
    });
    assert_eq!(found(&verdict), [Fault::Changed]);
    let verdict = spoilt(|j| {
        narrowed(j);
        j.mails.swap(0, 1);
    });
    assert!(found(&verdict).contains(&Fault::Changed), "{verdict}");
}

#[test]
fn a_mail_that_nobody_knows_of_is_unknown() {
    assert_eq!(
        found(&spoilt(|j| j.mails.push(mail(7, "ada@example.org", TASK, 2)))),
        [Fault::SeenTwice, Fault::Unknown]
    );
    assert_eq!(found(&spoilt(|j| j.promises.clear())), [Fault::Unknown]);
}

#[test]
fn a_mail_to_somebody_else_is_found() {
    let verdict = spoilt(|j| j.mails[0] = mail(9, "eve@example.org", TASK, 1));
    assert_eq!(found(&verdict), [Fault::WrongRecipient]);
}

#[test]
fn a_mail_that_tells_of_somebody_elses_is_foreign() {
    let theirs = |j: &mut Journals| {
        j.promises.push(Promise { email: "eve@example.org".to_owned(), ..promise(OTHER, 2) });
        j.promises[1].occurrences.clear();
        j.mails[0] = mail(9, "ada@example.org", &format!("{TASK} zo0000000002"), 1);
    };
    assert_eq!(found(&spoilt(theirs)), [Fault::Foreign]);
}

#[test]
fn a_mail_that_does_not_name_its_task_is_incomplete() {
    let verdict = spoilt(|j| {
        let raw = String::from_utf8(j.mails[0].raw.clone()).unwrap();
        j.mails[0].raw =
            raw.replace("<p>Hello", "<p>Hi").replace(&format!("{TASK} in {ORG}</p>"), "something</p>").into_bytes();
    });
    assert_eq!(found(&verdict), [Fault::Incomplete]);
}

fn withdrawn(asked: i64, acknowledged: Option<i64>) -> Verdict {
    spoilt(|j| {
        let withdrawn = Withdrawn { asked_at: at(asked), acknowledged: acknowledged.map(at) };
        j.promises[0].occurrences[0].withdrawn = Some(withdrawn);
    })
}

#[test]
fn what_was_taken_back_may_have_been_sent_only_until_that_was_acknowledged() {
    assert_eq!(found(&withdrawn(-5, Some(0))), [Fault::SentAfterCancelled]);
    for verdict in [withdrawn(0, Some(2)), withdrawn(-5, None), withdrawn(2, Some(3))] {
        assert!(verdict.is_clean(), "{verdict}");
    }
    let verdict = spoilt(|j| {
        j.promises[0].occurrences[0].withdrawn = Some(Withdrawn { asked_at: at(-5), acknowledged: Some(at(-4)) });
        j.mails.clear();
        j.deliveries[0].state = "cancelled".to_owned();
        j.deliveries[0].cancelled = true;
    });
    assert!(verdict.is_clean(), "{verdict}");
}

#[test]
fn one_mail_may_tell_of_many_and_each_counts() {
    let folded = |tasks: &str| {
        spoilt(|j| {
            j.promises.push(promise(OTHER, 2));
            j.deliveries.push(delivery(2, 9, OTHER));
            j.mails[0] = mail(9, "ada@example.org", tasks, 1);
        })
    };
    let verdict = folded(&format!("{TASK} {OTHER}"));
    assert!(verdict.is_clean(), "{verdict}");
    assert_eq!((verdict.owed, verdict.folded), (2, 1));
    // One that is carried and not named has not arrived.
    let verdict = folded(TASK);
    assert_eq!(found(&verdict), [Fault::Lost, Fault::Incomplete, Fault::LogDiffers]);
}
