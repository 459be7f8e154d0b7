//! Everything that is kept of a person, for themselves.

use serde_json::Value;

use crate::{
    access::{Me, Permissions, Scope, Written},
    audit::{self, Action, Event},
    calendar,
    error::{Error, Result},
    ids::AccountId,
};

/// What is kept of the caller, as a document of JSON that people can read. The database puts it together
/// (`personal_export`): it crosses organizations, and row security lets nobody do that.
///
/// # Errors
/// The database's.
pub async fn export(scope: &mut Scope<Me>) -> Result<Written<String>> {
    let row =
        sqlx::query!(r#"select current_account() as "account!: AccountId", personal_export() || personal_wishes() as "export!: Value""#)
            .fetch_one(scope.sql())
            .await?;
    audit::record(scope.core(), Event::new(Action::AccountExported).about(row.account)).await?;
    let mut export = row.export;
    name_scopes(&mut export);
    export["calendar"] =
        serde_json::to_value(calendar::show(scope).await?).map_err(|fault| Error::Internal(Box::new(fault)))?;
    let text = serde_json::to_string_pretty(&export).map_err(|fault| Error::Internal(Box::new(fault)))?;
    Ok(Written(text))
}

/// The database knows scopes as bits; people and programs know their names.
fn name_scopes(export: &mut Value) {
    for token in export["tokens"].as_array_mut().into_iter().flatten() {
        if let Some(bits) = token["scopes"].as_i64() {
            token["scopes"] = serde_json::json!(Permissions::of(bits));
        }
    }
}
