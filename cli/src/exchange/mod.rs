//! `taskbell export` and `taskbell import`: an organization, or a table of tasks, over the API of any deployment.

mod progress;
mod send;

use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use common::exchange::{Counts, Seal, SealFault};
use reqwest::{Client, Response, header::CONTENT_TYPE};
use serde_json::Value;
use url::Url;

use crate::Failure;
use progress::Progress;

/// Where, and as whom.
#[derive(Args)]
pub(crate) struct Deployment {
    /// Where the API answers.
    #[arg(long, default_value = "http://127.0.0.1:8000")]
    url: Url,
    /// A file that holds nothing but a personal token.
    #[arg(long)]
    token_file: PathBuf,
    /// The organization, by its slug or id.
    #[arg(long)]
    org: String,
}

/// What goes out.
#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    deployment: Deployment,
    /// Tasks alone, as CSV.
    #[arg(long)]
    tasks: bool,
    /// Those of one project, by its id.
    #[arg(long, requires = "tasks")]
    project: Option<String>,
}

/// What comes in.
#[derive(Args)]
pub(crate) struct Import {
    #[command(flatten)]
    deployment: Deployment,
    /// An export; with --project, tasks as CSV.
    file: PathBuf,
    /// The project, by its id, that takes the tasks of a CSV file.
    #[arg(long)]
    project: Option<String>,
    /// Try everything and keep nothing.
    #[arg(long)]
    dry_run: bool,
    /// Leave out people who are no active members, instead of refusing the file.
    #[arg(long)]
    skip_unknown_people: bool,
    /// Give projects another key whose own is taken, instead of refusing the file.
    #[arg(long, conflicts_with = "project")]
    rename_taken_keys: bool,
}

impl Deployment {
    fn address(&self, path: &str) -> Result<Url, Failure> {
        Ok(self.url.join(&format!("/v1/orgs/{}/{path}", self.org))?)
    }

    fn token(&self) -> Result<String, Failure> {
        let text = std::fs::read_to_string(&self.token_file)
            .map_err(|fault| format!("{}: {fault}", self.token_file.display()))?;
        Ok(text.trim().to_owned())
    }
}

/// Writes it to standard output as it arrives. One that is not whole ends with a failure, whatever was written.
pub(crate) async fn export(export: &Export) -> Result<(), Failure> {
    let path = if export.tasks { "tasks.csv" } else { "export" };
    let mut address = export.deployment.address(path)?;
    if let Some(project) = &export.project {
        address.query_pairs_mut().append_pair("project", project);
    }
    let request = Client::new().get(address).bearer_auth(export.deployment.token()?);
    let mut answer = accepted(request.send().await?).await?;
    let mut progress = Progress::of("fetched", answer.content_length());
    let (mut seal, mut out) = (Seal::default(), std::io::stdout().lock());
    while let Some(bytes) = answer.chunk().await.map_err(|fault| format!("the export was cut off: {fault}"))? {
        if !export.tasks {
            seal.take(&bytes).map_err(not_whole)?;
        }
        out.write_all(&bytes)?;
        progress.add(bytes.len());
    }
    out.flush()?;
    progress.end();
    if !export.tasks {
        eprintln!("taskbell: {}", in_words(seal.finish().map_err(not_whole)?));
    }
    Ok(())
}

/// Sends a file, which is looked at first: one that was cut off is not worth the way.
pub(crate) async fn import(import: &Import) -> Result<(), Failure> {
    let media = if import.project.is_some() {
        "text/csv"
    } else {
        eprintln!("taskbell: {}", in_words(examine(&import.file)?));
        "application/x-ndjson"
    };
    let path = import.project.as_ref().map_or_else(|| "import".to_owned(), |id| format!("projects/{id}/tasks/import"));
    let mut address = import.deployment.address(&path)?;
    for (wanted, name, value) in [
        (import.dry_run, "dry_run", "true"),
        (import.skip_unknown_people, "unknown_people", "skip"),
        (import.rename_taken_keys, "taken_keys", "rename"),
    ] {
        if wanted {
            address.query_pairs_mut().append_pair(name, value);
        }
    }
    let request = Client::new().post(address).bearer_auth(import.deployment.token()?).header(CONTENT_TYPE, media);
    let answer: Value = accepted(send::file(request, &import.file).await?).await?.json().await?;
    let number = |name: &str| answer[name].as_u64().unwrap_or_default();
    let kept = if import.dry_run { "would be taken in; nothing was" } else { "taken in" };
    let projects = answer["projects"].as_array().map_or(0, Vec::len);
    let (tasks, reminders, comments) = (number("tasks"), number("reminders"), number("comments"));
    eprintln!("taskbell: {projects} projects, {tasks} tasks, {reminders} reminders, {comments} comments {kept}");
    for project in answer["projects"].as_array().into_iter().flatten() {
        if project["key"] != project["former_key"] {
            eprintln!("  {} is {} here", text(&project["former_key"]), text(&project["key"]));
        }
    }
    for skipped in answer["skipped"].as_array().into_iter().flatten() {
        eprintln!("  line {} left out: {}", skipped["line"], text(&skipped["reason"]));
    }
    if number("skipped_count") > 100 {
        eprintln!("  … and {} more left out", number("skipped_count") - 100);
    }
    Ok(())
}

/// The answer, if it is one; else what the problem says, line by line.
async fn accepted(answer: Response) -> Result<Response, Failure> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let problem: Value = answer.json().await.unwrap_or_default();
    let mut said = format!("the API answered with {status}: {}", text(&problem["detail"]));
    for error in problem["errors"].as_array().into_iter().flatten() {
        said = said + "\n  " + text(&error["pointer"]) + ": " + text(&error["detail"]);
    }
    Err(said.into())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("(nothing)")
}

fn examine(file: &Path) -> Result<Counts, Failure> {
    let named = |fault: std::io::Error| format!("{}: {fault}", file.display());
    let mut opened = std::fs::File::open(file).map_err(named)?;
    let mut progress = Progress::of("checked", opened.metadata().map_err(named)?.len().into());
    let (mut seal, mut bytes) = (Seal::default(), vec![0; 64 * 1024]);
    loop {
        let length = opened.read(&mut bytes).map_err(named)?;
        if length == 0 {
            break;
        }
        seal.take(&bytes[..length]).map_err(not_whole)?;
        progress.add(length);
    }
    progress.end();
    Ok(seal.finish().map_err(not_whole)?)
}

fn not_whole((line, fault): (u64, SealFault)) -> String {
    format!("the export is not whole: line {line} {fault}")
}

fn in_words(counts: Counts) -> String {
    let Counts { members, projects, tasks, reminders, comments, .. } = counts;
    format!("{members} members, {projects} projects, {tasks} tasks, {reminders} reminders, {comments} comments")
}
