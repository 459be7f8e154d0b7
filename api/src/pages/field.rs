use askama::Template;

/// A field of a form, with its label and what is wrong with what was typed into it.
#[derive(Template)]
#[template(path = "field.html")]
pub(super) struct Field {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    /// What the browser or a password manager may fill in.
    autocomplete: &'static str,
    hint: Option<&'static str>,
    optional: bool,
    value: String,
    fault: Option<String>,
}
