//! The house keeps its own rules: who may know whom, and where SQL lives.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The source files of a crate, with their text.
fn sources(directory: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(directory)];
    while let Some(path) = open.pop() {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "{directory}");
    found
}

#[test]
fn crates_know_only_whom_they_may() {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages: HashMap<&str, HashSet<&str>> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap();
            let normal = dependencies.iter().filter(|dependency| dependency["kind"].is_null());
            (package["name"].as_str().unwrap(), normal.map(|dependency| dependency["name"].as_str().unwrap()).collect())
        })
        .collect();
    let strangers = [
        ("common", vec!["api", "worker", "local", "cli", "rocket", "lettre"]),
        ("api", vec!["worker", "local", "cli", "lettre", "sqlx", "apalis"]),
        ("worker", vec!["api", "local", "cli", "rocket", "sqlx"]),
        ("metrics", vec!["api", "worker", "local", "common", "cli", "rocket", "lettre", "sqlx"]),
        ("local", vec!["api", "worker", "common", "cli", "sqlx"]),
        ("cli", vec!["sqlx", "lettre"]),
        ("report", vec!["api", "worker", "local", "common", "cli", "sqlx"]),
    ];
    for (name, strangers) in strangers {
        for stranger in strangers {
            assert!(!packages[name].contains(stranger), "{name} must not know {stranger}");
        }
    }
}

#[test]
fn sql_lives_in_common_alone() {
    for directory in ["api/src", "worker/src", "cli/src", "local/src", "metrics/src", "report/src"] {
        for (path, text) in sources(directory) {
            assert!(!text.contains("sqlx::"), "{}", path.display());
        }
    }
}

#[test]
fn only_the_worker_acts_without_a_caller() {
    for directory in ["api/src", "cli/src"] {
        for (path, text) in sources(directory) {
            assert!(!text.contains("for_job"), "{}", path.display());
        }
    }
}

#[test]
fn handlers_ask_no_questions_about_roles() {
    for (path, text) in sources("api/src/routes") {
        for word in ["Role::", "permissions(", "if "] {
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            assert!(!code.iter().any(|line| line.contains(word)), "{}: {word}", path.display());
        }
    }
}

#[test]
fn no_file_is_too_long_to_be_read() {
    for directory in ["api/src", "worker/src", "cli/src", "local/src", "report/src", "common/src", "tests"] {
        for (path, text) in sources(directory) {
            assert!(text.lines().count() <= 400, "{}", path.display());
        }
    }
}
