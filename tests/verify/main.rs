//! `verify`: what is promised, verified at length (docs/verification.md). Also the processes that a verification kills.

use std::process::ExitCode;

use harness::verify::process::{Role, be};

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some("api") => be(Role::Api).await,
        Some("worker") => be(Role::Worker).await,
        _ => {
            eprintln!("verify: not yet");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
