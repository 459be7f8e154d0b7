//! What the description says of texts, held against what reads them.

use std::str::FromStr;

use common::{
    access::OrgRef,
    comments::CommentBody,
    reminders::Recipient,
    tasks::TaskRef,
    text::{Colour, Description, LabelName, Locale, Name, ProjectKey, RoleKey, Slug, Title, Words},
};

/// Whether a text is read as `T`.
fn reads<T: FromStr>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

type Reads = fn(&str) -> bool;

/// By the names of their schemas.
const TEXTS: [(&str, Reads); 14] = [
    ("Colour", reads::<Colour>),
    ("CommentBody", reads::<CommentBody>),
    ("Description", reads::<Description>),
    ("LabelName", reads::<LabelName>),
    ("Locale", reads::<Locale>),
    ("Name", reads::<Name>),
    ("OrgRef", reads::<OrgRef>),
    ("ProjectKey", reads::<ProjectKey>),
    ("Recipient", reads::<Recipient>),
    ("RoleKey", reads::<RoleKey>),
    ("Slug", reads::<Slug>),
    ("TaskRef", reads::<TaskRef>),
    ("Title", reads::<Title>),
    ("Words", reads::<Words>),
];

/// Each character alone and among others, every length about a limit, and what looks like something.
fn samples() -> Vec<String> {
    let chars = ('\0'..='\u{3100}').chain('\u{fe00}'..='\u{ffff}').chain(['\u{1f642}']);
    let mut samples: Vec<String> = chars.flat_map(|c| [c.to_string(), format!("a{c}b"), format!(" {c} ")]).collect();
    for most in [2, 3, 10, 35, 40, 60, 120, 200, 20_000] {
        for length in [most - 1, most, most + 1] {
            samples.extend(["a", "A", "ä", " "].map(|c| c.repeat(length)));
            samples.push(format!("{} ", "a".repeat(length - 1)));
        }
    }
    let id = "01a20393-c05f-7000-8000-00000000000f";
    let known =
        [id, "me", "assignees", "OPS-42", "OPS-042", "OPS-0", "O-1", "ops-1", "OPS2-1", "OPS-", "-1", "acme", "a-b"];
    let known =
        known.into_iter().chain(["-a", "a-", "de-AT", "de-", "d", "de-AT-1996", "#2f6f4e", "#2F6F4E", "#fff", "A1"]);
    samples
        .extend(known.flat_map(|text| [text.to_owned(), text.to_uppercase(), format!("{text}\n"), format!("x{text}")]));
    samples.extend([format!("{{{id}}}"), id.replace('-', ""), format!("urn:uuid:{id}")]);
    samples
}

#[test]
fn every_text_is_described_as_it_is_read() {
    let description = api::description(None);
    let (samples, mut differ) = (samples(), Vec::new());
    for (name, reads) in TEXTS {
        let schema = &description["components"]["schemas"][name];
        let validator = jsonschema::validator_for(schema).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let (mut accepted, mut refused) = (0, 0);
        for text in &samples {
            let read = reads(text);
            // An id is no slug and no label's name: that no pattern says.
            let like_an_id = text.len() == 36 && !read && ["Slug", "LabelName"].contains(&name);
            if validator.is_valid(&text.as_str().into()) != read && !like_an_id {
                differ.push(format!("{name} {:?}: read {read}", text.chars().take(50).collect::<String>()));
            }
            if read { accepted += 1 } else { refused += 1 }
        }
        assert!(accepted > 3 && refused > 3, "{name}: {accepted} accepted, {refused} refused");
    }
    assert!(differ.is_empty(), "{}: {:#?}", differ.len(), &differ[..differ.len().min(20)]);
}
