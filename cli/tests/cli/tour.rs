use crate::process::{Directory, Running, processes_of, signal, taskbell};

#[test]
fn the_tour_brings_a_reminder_to_the_right_inbox_and_leaves_nothing_behind() {
    let directory = Directory::new("tour");
    let mut tour = Running::start(&mut taskbell(&["tour", "--data", directory.0.to_str().unwrap()]));
    assert!(tour.read_to_end().success(), "{}", tour.said);
    for scene in ["accepts the invitation", "reminder is cancelled", "lies in the member's inbox", "sending -> sent"] {
        assert!(tour.said.contains(scene), "{scene}:\n{}", tour.said);
    }
    assert_eq!(processes_of(&directory.0), [] as [&str; 0]);
}

#[test]
fn a_worker_killed_in_the_middle_of_the_tour_costs_no_mail() {
    let directory = Directory::new("killed");
    let mut tour = Running::start(&mut taskbell(&["tour", "--data", directory.0.to_str().unwrap()]));
    let worker = tour.until("worker ...");
    let worker = worker.split("process ").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    tour.until("the admin gives the member");
    signal("KILL", worker);
    tour.until("worker died");
    // The tour itself fails if the mail does not come, comes early, or comes twice.
    assert!(tour.read_to_end().success(), "{}", tour.said);
}
