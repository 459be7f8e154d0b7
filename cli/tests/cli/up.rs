use crate::process::{Directory, Running, fails, processes_of, signal, taskbell};

/// A word of the welcome that begins with `scheme`.
fn address(said: &str, scheme: &str, nth: usize) -> String {
    said.split_whitespace().filter(|word| word.starts_with(scheme)).nth(nth).unwrap().to_owned()
}

#[test]
fn up_keeps_its_data_restarts_what_dies_and_leaves_no_process_behind() {
    let directory = Directory::new("up");
    let data = directory.0.to_str().unwrap();
    let mut up = Running::start(&mut taskbell(&["up", "--data", data]));
    up.until("Sign-ins of the demo");

    // The settings that can only be wrong against a running database.
    let (admin, app, redis) =
        (address(&up.said, "postgres://", 0), address(&up.said, "postgres://", 1), address(&up.said, "redis://", 0));
    let api = |database: &str| {
        let mut api = taskbell(&["api"]);
        api.env("TASKBELL_DATABASE_URL", database)
            .env("TASKBELL_REDIS_URL", &redis)
            .env("TASKBELL_SERVER_KEY", "x".repeat(32));
        api
    };
    let said = fails(&mut api(&admin));
    assert!(said.contains("not bound by row security"), "{said}");
    let said = fails(&mut api(&app.replace("taskbell_app:", "taskbell_app:wrong")));
    assert!(said.contains("refuses `taskbell_app`"), "{said}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let said = fails(api(&app).env("TASKBELL_PORT", taken.local_addr().unwrap().port().to_string()));
    assert!(said.starts_with("taskbell: the API cannot listen on 127.0.0.1:"), "{said}");
    // A second run on the same data is turned away; nothing of the first is touched.
    let said = fails(&mut taskbell(&["up", "--data", data]));
    assert!(said.contains("--data"), "{said}");

    signal("INT", up.id());
    assert!(up.read_to_end().success(), "{}", up.said);
    assert_eq!(processes_of(&directory.0), [] as [&str; 0]);

    // The second start finds everything in its place, and does not play the tour again.
    let mut again = Running::start(&mut taskbell(&["up", "--data", data]));
    again.until("Sign-ins of the demo");
    assert!(!again.said.contains("The tour:"), "{}", again.said);
    // Killed without a chance to clean up: its children end with it.
    signal("KILL", again.id());
    again.read_to_end();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !processes_of(&directory.0).is_empty() {
        assert!(std::time::Instant::now() < deadline, "{:?}", processes_of(&directory.0));
        std::thread::yield_now();
    }
}

#[test]
fn a_first_start_that_was_cut_short_is_made_good_by_the_second() {
    let directory = Directory::new("cut");
    let data = directory.0.to_str().unwrap();
    let mut up = Running::start(&mut taskbell(&["up", "--data", data]));
    up.until("owner@example.org signs up");
    signal("INT", up.id());
    assert!(up.read_to_end().success(), "{}", up.said);
    let mut again = Running::start(&mut taskbell(&["up", "--data", data]));
    again.until("Sign-ins of the demo");
    assert!(again.said.contains("sending -> sent") && !again.said.contains("failed"), "{}", again.said);
    signal("INT", again.id());
    assert!(again.read_to_end().success(), "{}", again.said);
}
