use std::time::Duration;

use clap::{Args, Subcommand};
use common::operators::{Done, Looked, Meant, Operator, Story, Waiting};
use uuid::Uuid;

use super::{
    ago,
    table::{Table, plain, time},
};
use crate::Failure;

#[derive(Subcommand)]
pub(crate) enum Deliveries {
    /// List what is owed, latest due first, and count what waits.
    List(List),
    /// Tell everything that happened to one. Not what it says.
    Show {
        /// A delivery's id, or a mail's, which is in its Message-ID.
        id: Uuid,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Send at once what waits for another try, whose fate is unknown, or what was refused for good.
    #[command(group(clap::ArgGroup::new("which").required(true).args(["ids", "state"])))]
    Retry {
        /// Deliveries or mails.
        ids: Vec<Uuid>,
        /// All in this state.
        #[arg(long, value_parser = ["dead", "uncertain", "retry"])]
        state: Option<String>,
        /// Only of this organization, by slug or id.
        #[arg(long, requires = "state")]
        org: Option<String>,
        /// Only what was due within this time.
        #[arg(long, value_parser = ago, default_value = "7d", requires = "state")]
        since: Duration,
    },
    /// Hold mail back: it is neither sent nor does it expire. A try that is under way is not stopped.
    #[command(group(clap::ArgGroup::new("which").required(true).args(["ids", "org"])))]
    Hold {
        /// Deliveries or mails.
        ids: Vec<Uuid>,
        /// All that waits now of this organization, by slug or id.
        #[arg(long)]
        org: Option<String>,
    },
    /// Let go what is held back.
    #[command(group(clap::ArgGroup::new("which").required(true).args(["ids", "org", "all"])))]
    Release {
        /// Deliveries or mails.
        ids: Vec<Uuid>,
        /// All of this organization, by slug or id.
        #[arg(long)]
        org: Option<String>,
        /// All.
        #[arg(long)]
        all: bool,
    },
}

/// What is looked for.
#[derive(Args)]
pub(crate) struct List {
    /// In one of these states. Without, all but what only waits for its time.
    #[arg(long, value_delimiter = ',', value_parser = ["scheduled", "claimed", "sending", "sent", "retry", "uncertain", "dead",
          "cancelled", "expired"])]
    state: Vec<String>,
    /// Of one of these kinds.
    #[arg(long, value_delimiter = ',', value_parser = ["reminder", "digest", "comment", "invitation", "verification",
          "already_registered", "password_reset", "email_change_old", "email_change_new", "notice"])]
    kind: Vec<String>,
    /// Of an organization, by slug or id.
    #[arg(long)]
    org: Option<String>,
    /// To this address.
    #[arg(long)]
    to: Option<String>,
    /// Due within this time, or later: 7d, 12h, 30m.
    #[arg(long, value_parser = ago)]
    since: Option<Duration>,
    /// How many at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i32).range(1..=100_000))]
    limit: i32,
    /// As JSON, one object a line, without the counts.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(operator: &mut Operator, what: &Deliveries, paused: bool) -> Result<(), Failure> {
    match what {
        Deliveries::List(asked) => list(operator, asked, paused).await,
        Deliveries::Show { id, json } => {
            let story = operator.show(*id).await?.ok_or_else(|| format!("there is no delivery or mail {id}"))?;
            if *json {
                println!("{}", serde_json::to_string_pretty(&story)?);
            } else {
                tell(&story, paused);
            }
            Ok(())
        }
        Deliveries::Retry { ids, state: None, .. } => {
            each(operator, ids, "to be tried again", async |operator, id| {
                Ok(operator.retry(id).await?.into_iter().collect())
            })
            .await
        }
        Deliveries::Retry { state: Some(state), org, since, .. } => {
            said("sent again", &operator.retry_all(state, org.as_deref(), *since).await?);
            Ok(())
        }
        Deliveries::Hold { org: Some(org), .. } => {
            said("held back", &operator.hold(&Meant::Org(org.clone())).await?);
            Ok(())
        }
        Deliveries::Hold { ids, .. } => {
            each(operator, ids, "to be held back", async |operator, id| Ok(operator.hold(&Meant::One(id)).await?)).await
        }
        Deliveries::Release { all: true, .. } => {
            said("released", &operator.release(&Meant::All).await?);
            Ok(())
        }
        Deliveries::Release { org: Some(org), .. } => {
            said("released", &operator.release(&Meant::Org(org.clone())).await?);
            Ok(())
        }
        Deliveries::Release { ids, .. } => {
            each(operator, ids, "to be released", async |operator, id| Ok(operator.release(&Meant::One(id)).await?))
                .await
        }
    }
}

async fn list(operator: &mut Operator, asked: &List, paused: bool) -> Result<(), Failure> {
    let looked = Looked {
        states: asked.state.clone(),
        kinds: asked.kind.clone(),
        org: asked.org.clone(),
        to: asked.to.clone(),
        since: asked.since,
        limit: asked.limit,
    };
    let found = operator.list(&looked).await?;
    if asked.json {
        for delivery in found {
            println!("{}", serde_json::to_string(&delivery)?);
        }
        return Ok(());
    }
    let mut table = Table::new(&["DELIVERY", "KIND", "STATE", "ORG", "TO", "DUE", "NEXT OR SENT", "TRIES", "REASON"]);
    for one in found {
        let open = matches!(one.state.as_str(), "scheduled" | "retry");
        table.row([
            one.id.to_string(),
            one.kind.clone(),
            state(&one.state, one.held_at.is_some(), paused && pauses(&one.kind)),
            one.org.unwrap_or_default(),
            one.to.unwrap_or_default(),
            time(one.due_at),
            one.sent_at.or(open.then_some(one.next_at)).map(time).unwrap_or_default(),
            one.attempts.to_string(),
            one.reason.unwrap_or_default(),
        ]);
    }
    print!("{table}");
    println!("\nWhat has not come to its end:");
    count(&operator.waiting().await?, paused);
    Ok(())
}

/// A state and what keeps it.
fn state(name: &str, held: bool, paused: bool) -> String {
    match (held, paused && matches!(name, "scheduled" | "retry")) {
        (true, _) => format!("{name}, held"),
        (false, true) => format!("{name}, paused"),
        (false, false) => name.to_owned(),
    }
}

/// What `TASKBELL_REMINDERS_PAUSED` is about (`may_go` in the database).
fn pauses(kind: &str) -> bool {
    matches!(kind, "reminder" | "digest")
}

fn count(waiting: &[Waiting], paused: bool) {
    let mut table = Table::new(&["STATE", "KIND", "MAILS", "DUE NOW", "SINCE"]);
    for some in waiting {
        table.row([
            state(&some.state, some.held, paused && pauses(&some.kind)),
            some.kind.clone(),
            some.mails.to_string(),
            some.due.to_string(),
            some.first_due.map(time).unwrap_or_default(),
        ]);
    }
    print!("{table}");
    if paused {
        println!("Reminders and digests are paused: TASKBELL_REMINDERS_PAUSED.");
    }
}

fn tell(story: &Story, paused: bool) {
    println!(
        "mail {}: {}, {}",
        story.mail,
        story.kind,
        state(&story.state, story.held_at.is_some(), paused && pauses(&story.kind))
    );
    let facts = [
        ("reason", story.reason.as_deref().map(plain)),
        ("organization", story.org.clone()),
        ("due", Some(time(story.due_at))),
        ("next try", matches!(story.state.as_str(), "scheduled" | "retry").then(|| time(story.next_at))),
        ("of use until", Some(time(story.expires_at))),
        ("sent", story.sent_at.map(time)),
        ("held since", story.held_at.map(time)),
        ("in the hands of", story.lease_until.and(story.worker.clone())),
    ];
    for (name, fact) in facts.into_iter().filter_map(|(name, fact)| Some((name, fact?))) {
        println!("  {name}: {fact}");
    }
    let mut deliveries = Table::new(&["DELIVERY", "TO", "TASK", "DUE", "CANCELLED", "REASON"]);
    for one in &story.deliveries {
        deliveries.row([
            one.id.to_string(),
            one.to.clone().unwrap_or_default(),
            one.task.map(|task| task.to_string()).unwrap_or_default(),
            time(one.due_at),
            one.cancelled_at.map(time).unwrap_or_default(),
            one.reason.clone().unwrap_or_default(),
        ]);
    }
    let mut steps = Table::new(&["AT", "FROM", "TO", "REASON"]);
    for step in &story.steps {
        steps.row([step.at.to_string(), step.from.clone(), step.to.clone(), step.reason.clone().unwrap_or_default()]);
    }
    let mut tries = Table::new(&["BEGUN", "ENDED", "WORKER", "CAME TO", "OUTCOME", "THE SERVER'S WORDS"]);
    for one in &story.tries {
        let words = one.reply.clone().unwrap_or_default();
        let ended = one.ended_at.to_string();
        tries.row([
            one.started_at.to_string(),
            ended,
            one.worker.clone(),
            one.phase.clone(),
            one.outcome.clone(),
            words,
        ]);
    }
    println!("\n{deliveries}\n{steps}\n{tries}");
}

/// One after the other; those of which nothing could be done are told at the end.
async fn each(
    operator: &mut Operator,
    ids: &[Uuid],
    wanted: &str,
    act: impl AsyncFn(&mut Operator, Uuid) -> Result<Vec<Done>, Failure>,
) -> Result<(), Failure> {
    let mut left = Vec::new();
    for id in ids {
        let done = act(operator, *id).await?;
        done.iter().for_each(tell_done);
        if done.is_empty() {
            let is = operator.show(*id).await?.map_or_else(
                || "is not there".to_owned(),
                |story| format!("is {}", state(&story.state, story.held_at.is_some(), false)),
            );
            left.push(format!("{id} {is}"));
        }
    }
    if left.is_empty() { Ok(()) } else { Err(format!("nothing {wanted}: {}", left.join("; ")).into()) }
}

fn said(what: &str, done: &[Done]) {
    done.iter().for_each(tell_done);
    println!("{} {what}", done.len());
}

fn tell_done(done: &Done) {
    let Done { id, state, becomes } = done;
    if id == becomes {
        println!("mail {id} ({state})");
    } else {
        println!("mail {id} ({state}), now as the mail {becomes}");
    }
}
