//! The README's commands are executed, in the order in which they stand there.

use std::{fs, path::Path, process::Command};

use crate::process::{Directory, Running, signal, taskbell};

#[test]
fn the_commands_of_the_readme_do_what_it_says() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    assert!(readme.contains("\ncargo run\n") && readme.contains("\ncargo test --workspace\n"));
    let blocks: Vec<&str> = readme
        .split("```sh\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap())
        .filter(|b| !b.starts_with("cargo "))
        .collect();
    assert!(blocks.len() >= 4, "the tour is gone from the README");

    let directory = Directory::new("readme");
    let mut up = Running::start(&mut taskbell(&["up", "--data", directory.0.to_str().unwrap()]));
    up.until("Sign-ins of the demo");
    let address = |name: &str| {
        let line = up.said.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().trim_end_matches('/').to_owned()
    };
    let script = blocks
        .join("\n")
        .replace("http://127.0.0.1:8000/v1", &address("API  "))
        .replace("http://127.0.0.1:8025", &address("inbox  "));
    let output = Command::new("bash").args(["-euo", "pipefail", "-c", &script]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}\n{script}", String::from_utf8_lossy(&output.stderr));
    for words in [
        "\"role\":\"owner\"",
        "Water the plants",
        "\"state\":\"sent\"",
        "\"to\":\"sending\"",
        "\"priority\":3",
        "\"code\":\"stale\"",
        "\"status\":\"completed\"",
        "\"action\":\"completed\"",
    ] {
        assert!(said.contains(words), "{words} is missing in:\n{said}");
    }
    signal("INT", up.id());
    assert!(up.read_to_end().success());
}
