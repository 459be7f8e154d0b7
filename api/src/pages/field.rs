use askama::Template;
use common::input::FieldFault;

use super::attempt::Attempt;

/// A field of a form, with its label and what is wrong with what was typed into it.
#[derive(Template)]
#[template(path = "field.html")]
pub(super) struct Field {
    id: &'static str,
    label: &'static str,
    kind: Kind,
    hint: &'static str,
    value: String,
    fault: Option<String>,
    /// The first that is at fault has the focus.
    focused: bool,
}

/// The fields of a form.
#[derive(Template)]
#[template(path = "fields.html")]
pub(super) struct Fields {
    all: Vec<Field>,
    /// What is wrong and belongs to none of them.
    others: Vec<String>,
    pub(super) failed: bool,
}

/// What a field is for; browsers and password managers go by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Password,
    NewPassword,
    Code,
    /// Shown, not sent: tells password managers whose password is meant.
    Account,
}

impl Kind {
    /// The attribute `type`.
    fn html(self) -> &'static str {
        match self {
            Self::Name | Self::Code => "text",
            Self::Password | Self::NewPassword => "password",
            Self::Account => "email",
        }
    }

    fn autocomplete(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Password => "current-password",
            Self::NewPassword => "new-password",
            Self::Code => "one-time-code",
            Self::Account => "username",
        }
    }
}

impl Field {
    /// What others will call them.
    pub(super) fn name() -> Self {
        Self::new(Kind::Name, "name", "Name", "What the others will call you.")
    }

    /// The password that they have.
    pub(super) fn password() -> Self {
        Self::new(Kind::Password, "password", "Password", "")
    }

    /// The password that they will have.
    pub(super) fn new_password() -> Self {
        Self::new(Kind::NewPassword, "password", "Password", "At least 12 characters. A few words will do.")
    }

    /// Of the second factor.
    pub(super) fn code() -> Self {
        Self::new(Kind::Code, "code", "Code", "Six digits from your app, or a recovery code.")
    }

    /// An empty field; `id` is its name in the input as well.
    fn new(kind: Kind, id: &'static str, label: &'static str, hint: &'static str) -> Self {
        Self { id, label, kind, hint, value: String::new(), fault: None, focused: false }
    }

    /// The address whose account is meant.
    pub(super) fn account(email: &str) -> Self {
        Self { value: email.to_owned(), ..Self::new(Kind::Account, "account", "E-mail address", "") }
    }
}

impl Fields {
    /// Fields as an attempt left them: with their faults, and with what was typed unless it is a secret.
    pub(super) fn after<const N: usize>(mut fields: [Field; N], attempt: &Attempt) -> Self {
        for field in &mut fields {
            let of_field = |fault: &&FieldFault| fault.pointer.strip_prefix('/') == Some(field.id);
            field.fault = attempt.faults.iter().find(of_field).map(|fault| fault.detail.clone());
            if field.kind == Kind::Name {
                field.value = attempt.typed.get(field.id).unwrap_or_default().to_owned();
            }
        }
        let known = |fault: &&FieldFault| fields.iter().any(|field| fault.pointer.strip_prefix('/') == Some(field.id));
        let others = attempt.faults.iter().filter(|fault| !known(fault));
        let others =
            others.map(|fault| format!("{} {}", fault.pointer.trim_start_matches('/'), fault.detail)).collect();
        if let Some(first) = fields.iter_mut().find(|field| field.fault.is_some()) {
            first.focused = true;
        }
        Self { all: fields.into(), others, failed: !attempt.faults.is_empty() }
    }
}
