use std::net::TcpListener;

use crate::process::{Directory, fails, taskbell};

/// One sentence, and no more.
#[track_caller]
fn is_one_sentence(said: &str, words: &str) {
    assert!(said.starts_with("taskbell: ") && said.lines().count() == 1 && said.contains(words), "{said}");
}

#[test]
fn a_missing_setting_is_named() {
    is_one_sentence(&fails(&mut taskbell(&["api"])), "TASKBELL_REDIS_URL is not set");
    is_one_sentence(&fails(&mut taskbell(&["worker"])), "TASKBELL_DATABASE_URL is not set");
    is_one_sentence(&fails(&mut taskbell(&["migrate"])), "TASKBELL_DATABASE_URL is not set");
}

#[test]
fn an_unknown_or_unreadable_setting_is_named() {
    is_one_sentence(&fails(taskbell(&["api"]).env("TASKBELL_COLOUR", "red")), "TASKBELL_COLOUR");
    is_one_sentence(&fails(taskbell(&["api"]).env("TASKBELL_PORT", "many")), "TASKBELL_PORT");
    let missing = "/nowhere/at/all";
    is_one_sentence(&fails(taskbell(&["api"]).env("TASKBELL_SERVER_KEY_FILE", missing)), "TASKBELL_SERVER_KEY_FILE");
}

#[test]
fn a_variable_that_is_no_text_is_named_if_it_is_ours_and_else_none_of_our_business() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let no_text = OsStr::from_bytes(b"\xff");
    is_one_sentence(
        &fails(taskbell(&["migrate"]).env("TASKBELL_MAIL_FROM", no_text)),
        "TASKBELL_MAIL_FROM is not usable",
    );
    is_one_sentence(&fails(taskbell(&["migrate"]).env("SOMEBODYS", no_text)), "TASKBELL_DATABASE_URL is not set");
}

#[test]
fn a_short_server_key_is_refused_without_being_shown() {
    let mut api = taskbell(&["api"]);
    api.env("TASKBELL_DATABASE_URL", "postgres://app@127.0.0.1:1/x").env("TASKBELL_REDIS_URL", "redis://127.0.0.1:1");
    let said = fails(api.env("TASKBELL_SERVER_KEY", "hunter2"));
    is_one_sentence(&said, "TASKBELL_SERVER_KEY is not usable");
    assert!(!said.contains("hunter2"), "{said}");
    api.env("TASKBELL_SERVER_KEY", "x".repeat(32)).env("TASKBELL_SERVER_KEY_BEFORE", "hunter2");
    let said = fails(&mut api);
    is_one_sentence(&said, "TASKBELL_SERVER_KEY_BEFORE is not usable");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_database_that_does_not_answer_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = |url: String| {
        let mut api = taskbell(&["api"]);
        api.env("TASKBELL_DATABASE_URL", url)
            .env("TASKBELL_REDIS_URL", "redis://127.0.0.1:1")
            .env("TASKBELL_SERVER_KEY", "x".repeat(32));
        fails(&mut api)
    };
    is_one_sentence(
        &settings(format!("postgres://app@127.0.0.1:{port}/x")),
        &format!("does not answer at 127.0.0.1:{port}"),
    );
    is_one_sentence(&settings("mysql://app@localhost/x".to_owned()), "TASKBELL_DATABASE_URL");
    is_one_sentence(&settings("nonsense".to_owned()), "TASKBELL_DATABASE_URL");
}

#[test]
fn a_busy_port_is_named_before_anything_is_started() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let directory = Directory::new("busy");
    let said = fails(&mut taskbell(&["up", "--port", &port, "--data", directory.0.to_str().unwrap()]));
    is_one_sentence(&said, &format!("port {port} is busy; choose another with --port"));
    assert!(!directory.0.exists());
}
