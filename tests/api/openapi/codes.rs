use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// The sources of the API and its domain, without their tests.
fn sources() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut open: Vec<PathBuf> = ["api/src", "common/src"].iter().map(|place| root.join(place)).collect();
    let mut texts = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            // What the description lists is what is compared.
            let inside = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
            open.extend(inside.filter(|path| !path.ends_with("api/src/openapi")));
        } else {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            texts.push(lines.collect::<Vec<_>>().join("\n"));
        }
    }
    texts
}

/// The words in quotes that look like a code.
fn words(text: &str) -> impl Iterator<Item = String> {
    let quoted = text.split('"').skip(1).step_by(2);
    quoted.filter(|word| word.len() > 3 && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')).map(str::to_owned)
}

/// What stands between `begin` and `end`, everywhere.
fn between<'t>(text: &'t str, begin: &'static str, end: &'static str) -> impl Iterator<Item = &'t str> {
    text.split(begin).skip(1).map(move |rest| rest.split(end).next().unwrap_or_default())
}

fn listed(schema: &str) -> BTreeSet<String> {
    let description = api::description(None);
    let codes = description["components"]["schemas"][schema]["enum"].as_array().unwrap();
    codes.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[track_caller]
fn assert_same(listed: &BTreeSet<String>, found: &BTreeSet<String>) {
    let (lacks, invents): (Vec<_>, Vec<_>) = (found.difference(listed).collect(), listed.difference(found).collect());
    assert!(lacks.is_empty() && invents.is_empty(), "api/src/openapi/codes.rs lacks {lacks:?} and invents {invents:?}");
}

#[test]
fn every_code_of_a_problem_is_listed_and_no_other() {
    let mut found = BTreeSet::new();
    for text in sources() {
        found.extend(between(&text, "Conflict {", "}").filter_map(|conflict| words(conflict).next()));
        for begin in ["Problem::new(", "Self::new(Status::"] {
            found.extend(between(&text, begin, ";").filter_map(|call| words(call).next()));
        }
        for begin in ["fn code(self) -> &'static str {", "let code ="] {
            found.extend(between(&text, begin, "}\n").flat_map(|table| words(table).collect::<Vec<_>>()));
        }
        // Name of the constraint, code, sentence.
        let rows = between(&text, "const CONSTRAINTS: ", "\n];").flat_map(str::lines);
        found.extend(rows.filter_map(|row| words(row).nth(1)));
    }
    assert_same(&listed("ProblemCode"), &found);
}

#[test]
fn every_code_of_a_field_is_listed_and_no_other() {
    let mut found = BTreeSet::new();
    for text in sources() {
        for begin in ["fn code(&self) -> &'static str {", "fn error<V: IntoValue>("] {
            found.extend(between(&text, begin, "\n    }").flat_map(|table| words(table).collect::<Vec<_>>()));
        }
        found.extend(between(&text, "FieldFault {", "}").flat_map(words));
    }
    assert_same(&listed("FieldCode"), &found);
}
