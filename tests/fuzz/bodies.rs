//! Bodies and query strings: every type that is read from one.

use common::{
    accounts::{self, email, password, reset},
    audit, comments, deliveries, exchange,
    input::{Faults, Input, read},
    invitations, json as strict, labels, memberships, notifications, offers, organizations, permissions, projects,
    reminders, roles, second_factor, sessions, tasks, time, tokens,
};
use serde_json::{Map, Value};

/// How many faults of one input are told at most.
const MOST: usize = 100;

/// Reads a value as `T`; faults must be such that they can be told.
fn one<T: Input>(value: &Value) {
    read::<T>(value.clone()).err().iter().for_each(tellable);
}

/// Faults that can be told: some, not too many, each with all that it needs.
pub(crate) fn tellable(faults: &Faults) {
    assert!((1..=MOST).contains(&faults.0.len()), "{} faults", faults.0.len());
    for fault in &faults.0 {
        assert!(fault.pointer.is_empty() || fault.pointer.starts_with('/'), "{fault:?}");
        assert!(!fault.code.is_empty() && !fault.detail.is_empty(), "{fault:?}");
    }
}

macro_rules! each {
    ($value:expr; $($input:ty),+ $(,)?) => { $(one::<$input>($value);)+ };
}

/// A body: strict JSON, then every input there is.
pub fn json(bytes: &[u8]) {
    let Ok(value) = strict::read(bytes) else { return };
    // Stricter than serde, never other.
    assert_eq!(serde_json::from_slice::<Value>(bytes).ok().as_ref(), Some(&value));
    each!(&value;
        accounts::AccountChanges, accounts::MailRequest, accounts::NewAccount, accounts::NewVerification,
        comments::CommentChanges, comments::NewComment,
        email::NewEmail, invitations::NewInvitation, labels::LabelChanges, labels::NewLabel,
        memberships::Acceptance, memberships::RoleChoice, memberships::Transfer, notifications::SettingsChanges,
        offers::Answer, organizations::NewOrganization, organizations::OrganizationChanges,
        password::PasswordChange, projects::BreakGlass, projects::GrantChoice, projects::NewProject, projects::ProjectChanges,
        projects::ProjectPlace, deliveries::Snooze, reminders::NewReminder, reset::ChosenPassword, roles::NewRole,
        roles::RoleChanges, second_factor::FirstCode, sessions::SignIn, tasks::Batch, tasks::NewTask, tasks::Position, tasks::TaskChanges,
        time::Due, time::Recurrence, time::When, tokens::NewToken,
    );
}

/// A query string, one `name=value` a line: every filter there is.
pub fn query(bytes: &[u8]) {
    let Some(text) = crate::utf8(bytes) else { return };
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let value = Value::Object(pairs.map(|(name, value)| (name.to_owned(), value.into())).collect::<Map<_, _>>());
    each!(&value;
        audit::AuditFilter, exchange::ImportOptions, exchange::TableFilter, exchange::TableOptions, roles::Replacement, comments::CommentFilter, deliveries::DeliveryFilter, permissions::PermissionsFilter,
        projects::ProjectFilter, tasks::HistoryPage, tasks::TaskList, tasks::MyTaskList, tasks::ChangesSince, tasks::TaskShape,
    );
}
