//! Public linters, with each rule that they recommend; what they do not hold us to, and why, stands in their settings.

use serde_json::Value;

use crate::workshop::Workshop;

const DESCRIPTION: &str = "openapi.json";

/// The linters: their programs, and how to make them strict.
const LINTERS: [(&str, &[&str]); 2] = [
    ("redocly", &["lint", "--config=redocly.yaml", DESCRIPTION]),
    ("spectral", &["lint", "--ruleset=spectral.yaml", "--fail-severity=hint", DESCRIPTION]),
];

#[tokio::test]
async fn linters_have_nothing_to_say_of_the_description() {
    let workshop = Workshop::open().await;
    let home = "https://tasks.example.org".parse().unwrap();
    workshop.write(DESCRIPTION, &api::description(Some(&home)).to_string());
    for (linter, arguments) in LINTERS {
        let _ = workshop.succeed(linter, arguments).await;
    }
}

#[tokio::test]
async fn each_linter_finds_an_operation_that_is_described_badly() {
    let workshop = Workshop::open().await;
    let mut spoilt = api::description(None);
    // One path is enough to be wrong, and is read sooner than all.
    spoilt["paths"].as_object_mut().unwrap().retain(|path, _| path == "/v1/orgs/{org}/tasks");
    let operation = &mut spoilt["paths"]["/v1/orgs/{org}/tasks"]["get"];
    operation["tags"] = Value::Array(vec!["Nobody has declared it".into()]);
    operation["parameters"][0]["name"] = "another".into();
    workshop.write(DESCRIPTION, &spoilt.to_string());
    for (linter, arguments) in LINTERS {
        let (content, said) = workshop.run(linter, arguments).await;
        assert!(!content && said.contains("orgs"), "{linter}: {said}");
    }
}
