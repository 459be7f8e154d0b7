//! Compares what was promised with what arrived. Works on journals alone, after everything is over.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
};

use serde::Serialize;
use uuid::Uuid;

use super::{
    journal::{Delivery, Journals, Occurrence, Promise},
    smtp::Mail,
};

/// What a checker finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It was promised, it was not taken back, and no mail has come.
    Lost,
    /// A mail came before its time, by Postgres' clock.
    Early,
    /// Two mails with different Message-IDs tell of the same: no mailbox would drop the second.
    SeenTwice,
    /// A mail came again that was in no window in which it may.
    Repeated,
    /// A mail came again with other bytes.
    Changed,
    /// A mail that the product knows nothing of, or tells of nothing that was promised.
    Unknown,
    /// A mail to somebody else.
    WrongRecipient,
    /// A mail that tells of somebody else's tasks, organization or name.
    Foreign,
    /// A mail that does not say what it is for.
    Incomplete,
    /// A mail that was sent after its cancellation had been acknowledged.
    SentAfterCancelled,
    /// The product's log says otherwise: sent, and nothing came; or not sent, and a mail is there.
    LogDiffers,
}

/// One fault, with what it is about.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Which.
    pub fault: Fault,
    /// About what, in words.
    pub about: String,
}

/// What was compared, and what came of it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    /// Promises, each a task with a reminder.
    pub promises: usize,
    /// Times at which a reminder was to go out, acknowledged and never taken back: each must have come.
    pub owed: usize,
    /// Times that were taken back, or never acknowledged.
    pub others: usize,
    /// Mails that the mail server took.
    pub mails: usize,
    /// Mails that told of more than one.
    pub folded: usize,
    /// Mails that came again under the same Message-ID.
    pub repeats: usize,
    /// How often a mail was `uncertain`: there can be no more repeats than that.
    pub uncertain: usize,
    /// How many of each fault.
    pub faults: BTreeMap<Fault, usize>,
    /// The first few of each.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// Whether everything was kept.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// How many of a fault.
    #[must_use]
    pub fn count(&self, fault: Fault) -> usize {
        self.faults.get(&fault).copied().unwrap_or(0)
    }

    fn find(&mut self, fault: Fault, about: impl fmt::Display) {
        let count = self.faults.entry(fault).or_default();
        *count += 1;
        if *count <= 5 {
            self.findings.push(Finding { fault, about: about.to_string() });
        }
    }
}

/// A mail that was taken, read.
struct Read<'j> {
    mail: &'j Mail,
    id: Option<Uuid>,
    /// The markers of each part.
    parts: [HashSet<String>; 3],
}

impl Read<'_> {
    /// Which tasks it tells of.
    fn tasks(&self) -> HashSet<&str> {
        self.parts.iter().flatten().filter(|word| word.starts_with("zt")).map(String::as_str).collect()
    }
}

/// Compares.
#[must_use]
pub fn check(journals: &Journals) -> Verdict {
    let read: Vec<Read<'_>> = journals.mails.iter().map(read).collect();
    let mut verdict = Verdict { promises: journals.promises.len(), mails: read.len(), ..Verdict::default() };
    let carried = carried(journals);
    let promised: HashMap<&str, &Promise> =
        journals.promises.iter().map(|promise| (promise.marker.as_str(), promise)).collect();
    for mail in &read {
        one(mail, journals, &carried, &promised, &mut verdict);
    }
    again(&read, journals, &mut verdict);
    let arrived = arrived(&read);
    let mut told: HashMap<String, Vec<&Delivery>> = HashMap::new();
    for delivery in &journals.deliveries {
        for marker in markers(&delivery.title) {
            told.entry(marker).or_default().push(delivery);
        }
    }
    for promise in &journals.promises {
        let deliveries = told.get(&promise.marker).map(Vec::as_slice).unwrap_or_default();
        kept(promise, journals, deliveries, &arrived, &mut verdict);
    }
    log(journals, &arrived, &mut verdict);
    verdict
}

/// A word that was made to be found: two letters, then ten hexadecimal digits.
#[must_use]
pub fn markers(text: &str) -> HashSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_marker = |word: &&str| {
        word.len() == 12
            && ["zt", "zo", "zp"].iter().any(|kind| word.starts_with(kind))
            && word[2..].bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    words.filter(is_marker).map(str::to_owned).collect()
}

fn read(mail: &Mail) -> Read<'_> {
    Read { mail, id: mail.id(), parts: mail.parts().map(|part| markers(&part)) }
}

/// What each mail carries, as the product says: folded ones have several.
fn carried(journals: &Journals) -> HashMap<Uuid, Vec<&Delivery>> {
    let mut carried: HashMap<Uuid, Vec<&Delivery>> = HashMap::new();
    for delivery in &journals.deliveries {
        carried.entry(delivery.mail).or_default().push(delivery);
    }
    carried
}

/// One mail by itself: to whom, of what, when.
fn one(
    read: &Read<'_>,
    journals: &Journals,
    carried: &HashMap<Uuid, Vec<&Delivery>>,
    promised: &HashMap<&str, &Promise>,
    verdict: &mut Verdict,
) {
    let mail = read.mail;
    let about = || format!("{} to {:?}", mail.message_id(), mail.to);
    let Some(deliveries) = read.id.and_then(|id| carried.get(&id)) else {
        return verdict.find(Fault::Unknown, about());
    };
    let tasks: HashSet<&str> =
        read.parts.iter().flatten().filter(|word| word.starts_with("zt")).map(String::as_str).collect();
    let told: Vec<&&Promise> = tasks.iter().filter_map(|marker| promised.get(marker)).collect();
    let Some(first) = told.first() else {
        return verdict.find(Fault::Unknown, about());
    };
    verdict.folded += usize::from(told.len() > 1);
    if mail.to != [first.email.clone()] || deliveries.iter().any(|delivery| !mail.to.contains(&delivery.email)) {
        verdict.find(Fault::WrongRecipient, about());
    }
    let ours = |word: &str| match &word[..2] {
        "zt" => promised.get(word).is_some_and(|other| other.email == first.email && other.org == first.org),
        "zo" => word == first.org,
        _ => word == first.person,
    };
    if let Some(word) = read.parts.iter().flatten().find(|word| !ours(word)) {
        verdict.find(Fault::Foreign, format_args!("{}: {word}", about()));
    }
    let latest = journals.clock.latest(mail.begun_at);
    for delivery in deliveries.iter().filter(|delivery| delivery.state == "sent" && !delivery.cancelled) {
        let word = markers(&delivery.title).into_iter().next().unwrap_or_default();
        // In the text and in the HTML, with whose it is and where.
        let complete =
            |part: &HashSet<String>| part.contains(&word) && part.contains(&first.org) && part.contains(&first.person);
        if !complete(&read.parts[1]) || !complete(&read.parts[2]) {
            verdict.find(Fault::Incomplete, format_args!("{}: {word}", about()));
        }
        if latest < delivery.due_at {
            verdict.find(Fault::Early, format_args!("{}: {word}, at {latest} instead of {}", about(), delivery.due_at));
        }
    }
}

/// Mails that came more than once: with the same bytes, less what was taken back in the meantime.
fn again(read: &[Read<'_>], journals: &Journals, verdict: &mut Verdict) {
    let is_taken_back = |promise: &&Promise| promise.occurrences.iter().any(|one| one.withdrawn.is_some());
    let taken_back: HashSet<&str> =
        journals.promises.iter().filter(is_taken_back).map(|promise| promise.marker.as_str()).collect();
    let mut copies: HashMap<Uuid, Vec<&Read<'_>>> = HashMap::new();
    for mail in read {
        if let Some(id) = mail.id {
            copies.entry(id).or_default().push(mail);
        }
    }
    for steps in journals.steps.values() {
        verdict.uncertain += steps.iter().filter(|step| step.to == "uncertain").count();
    }
    for (id, copies) in copies {
        let repeats = copies.len() - 1;
        verdict.repeats += repeats;
        let steps = journals.steps.get(&id).map(Vec::as_slice).unwrap_or_default();
        let uncertain = steps.iter().filter(|step| step.to == "uncertain").count();
        if repeats > uncertain {
            verdict.find(Fault::Repeated, format_args!("{id}: {} copies, uncertain {uncertain} times", copies.len()));
        }
        let less = |before: &Read<'_>, after: &Read<'_>| {
            let (before, after) = (before.tasks(), after.tasks());
            after.is_subset(&before) && before.difference(&after).all(|task| taken_back.contains(task))
        };
        if copies.windows(2).any(|two| {
            let same = two[0].mail.raw == two[1].mail.raw;
            !same && (two[0].tasks() == two[1].tasks() || !less(two[0], two[1]))
        }) {
            verdict.find(Fault::Changed, id);
        }
    }
}

/// The mails of a mailbox that drops repeats by their Message-ID, by the tasks that they tell of.
fn arrived<'r>(read: &'r [Read<'r>]) -> HashMap<&'r str, Vec<&'r Read<'r>>> {
    let mut seen = HashSet::new();
    let mut arrived: HashMap<&str, Vec<&Read<'_>>> = HashMap::new();
    for mail in read.iter().filter(|mail| seen.insert(mail.mail.message_id())) {
        for task in mail.tasks() {
            arrived.entry(task).or_default().push(mail);
        }
    }
    arrived
}

/// One promise: each time it was to go out, once; and never when it was taken back before.
fn kept(
    promise: &Promise,
    journals: &Journals,
    deliveries: &[&Delivery],
    arrived: &HashMap<&str, Vec<&Read<'_>>>,
    verdict: &mut Verdict,
) {
    let mails = arrived.get(promise.marker.as_str()).map(Vec::as_slice).unwrap_or_default();
    let mut counted = HashSet::new();
    for occurrence in &promise.occurrences {
        let about = || format!("{} for {}, due at {}", promise.marker, promise.email, occurrence.due_at);
        let delivery = deliveries.iter().find(|delivery| is_of(delivery, occurrence));
        let of_it: Vec<&&Read<'_>> =
            mails.iter().filter(|mail| delivery.is_some_and(|delivery| mail.id == Some(delivery.mail))).collect();
        counted.extend(of_it.iter().filter_map(|mail| mail.id));
        let owed = occurrence.acknowledged.is_some() && occurrence.withdrawn.is_none();
        verdict.owed += usize::from(owed);
        verdict.others += usize::from(!owed);
        if owed && of_it.is_empty() {
            verdict
                .find(Fault::Lost, format_args!("{} ({})", about(), delivery.map_or("no row", |it| it.state.as_str())));
        }
        let withdrawn = occurrence.withdrawn.and_then(|withdrawn| withdrawn.acknowledged);
        if let (Some(withdrawn), Some(mail)) = (withdrawn, of_it.first()) {
            let withdrawn = journals.clock.latest(withdrawn);
            // Another try may have followed, without it.
            let taken = journals.clock.latest(mail.mail.taken_at);
            let marked = mail.id.and_then(|id| journals.steps.get(&id)).and_then(|steps| {
                let carried = delivery.is_some_and(|delivery| !delivery.cancelled || delivery.state == "sent");
                steps.iter().rfind(|step| carried && step.to == "sending" && step.at <= taken).map(|step| step.at)
            });
            // By the product's log, and by the mail server's: nobody can have written `sending` before the 354.
            if mail.mail.asked_at > withdrawn || marked.is_some_and(|marked| marked > withdrawn) {
                verdict.find(Fault::SentAfterCancelled, format_args!("{}, withdrawn at {withdrawn}", about()));
            }
        }
    }
    let stray: Vec<_> = mails.iter().filter(|mail| mail.id.is_none_or(|id| !counted.contains(&id))).collect();
    for mail in stray {
        verdict.find(Fault::SeenTwice, format_args!("{}: {} tells of it too", promise.marker, mail.mail.message_id()));
    }
}

/// Whether a row is the one that the client was told of. Who never heard an answer knows it by its time.
fn is_of(delivery: &Delivery, occurrence: &Occurrence) -> bool {
    match occurrence.delivery {
        Some(id) => delivery.id == id,
        None => delivery.due_at == occurrence.due_at,
    }
}

/// Whether the product's own story is true.
fn log(journals: &Journals, arrived: &HashMap<&str, Vec<&Read<'_>>>, verdict: &mut Verdict) {
    for delivery in &journals.deliveries {
        let markers = markers(&delivery.title);
        let is_there = markers.iter().any(|marker| {
            arrived.get(marker.as_str()).is_some_and(|mails| mails.iter().any(|mail| mail.id == Some(delivery.mail)))
        });
        let says = match delivery.state.as_str() {
            "sent" => !delivery.cancelled || is_there,
            // Taken by the server, and its sender never heard of it.
            "uncertain" | "sending" => is_there,
            // What came, and was withdrawn while its fate was unknown.
            "cancelled" | "retry" | "claimed" | "expired" | "dead" => {
                is_there && was_uncertain(journals, delivery.mail)
            }
            _ => false,
        };
        if says != is_there && !markers.is_empty() {
            let there = if is_there { "it is there" } else { "it is not there" };
            verdict.find(Fault::LogDiffers, format_args!("{markers:?}: `{}`, and {there}", delivery.state));
        }
    }
}

fn was_uncertain(journals: &Journals, mail: Uuid) -> bool {
    journals.steps.get(&mail).is_some_and(|steps| steps.iter().any(|step| step.to == "uncertain"))
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} promises: {} owed, {} taken back; {} mails came, {} of them folded, {} repeats ({} times uncertain)",
            self.promises, self.owed, self.others, self.mails, self.folded, self.repeats, self.uncertain
        )?;
        for (fault, count) in &self.faults {
            writeln!(f, "  {fault:?}: {count}")?;
        }
        for Finding { fault, about } in &self.findings {
            writeln!(f, "    {fault:?}: {about}")?;
        }
        Ok(())
    }
}
