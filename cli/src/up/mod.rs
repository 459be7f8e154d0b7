//! `up`: the whole of Taskbell on this machine, for as long as the command runs.

mod places;
mod port;
mod secrets;
mod stack;
mod supervise;

use std::path::{Path, PathBuf};

use local::{DataDir, Progress};

use crate::{Failure, Place, signals, tour};

use places::Places;
use stack::Stack;

/// Starts everything, plays the tour the first time, and keeps it running until Ctrl-C.
pub(crate) async fn up(place: &Place) -> Result<(), Failure> {
    println!(
        "Taskbell keeps everything in {} (Ctrl-C stops it, `cargo run -- reset` wipes it)\n",
        place.data.display()
    );
    let mut stack = Stack::start(place, Progress::stdout()).await?;
    let places = stack.places.clone();
    let show = async move {
        let played = Places::played(&places.data);
        if !played.exists() {
            std::fs::write(Places::begun(&places.data), "")?;
            // A tour that fails says so and stops nobody: what is up stays up.
            match tour::play(&places.api, &places.inbox, &places.cast).await {
                Ok(()) => std::fs::write(&played, places.cast.mark())?,
                Err(failure) => println!("\nThe tour failed: {failure}"),
            }
        }
        println!("{}", places.welcome());
        std::future::pending().await
    };
    let outcome = tokio::select! {
        outcome = stack.keep_alive(show) => outcome,
        () = signals::stop() => Ok(()),
    };
    println!("\nStopping …");
    stack.stop().await?;
    outcome
}

/// Plays the tour against a fresh stack that is thrown away.
pub(crate) async fn tour(place: &Place) -> Result<(), Failure> {
    let data = fresh(&place.data);
    let place = Place { port: place.port, data: data.clone() };
    let mut stack = Stack::start(&place, Progress::stdout()).await?;
    let places = stack.places.clone();
    let play = async move { tour::play(&places.api, &places.inbox, &places.cast).await };
    let outcome = tokio::select! {
        outcome = stack.keep_alive(play) => outcome,
        () = signals::stop() => Err("stopped before the end of the tour".into()),
    };
    stack.stop().await?;
    DataDir::reset(&data).await?;
    outcome
}

/// A directory of this process alone, beside the one that `up` uses.
fn fresh(data: &Path) -> PathBuf {
    data.with_file_name(format!("tour-{}", std::process::id()))
}
