//! The end of an organization, which comes with a delay.

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde_json::json;
use utoipa::ToSchema;

use super::{Organization, find};
use crate::{
    access::{OwnOrganization, Scope, Written},
    audit::{self, Action, Event},
    error::{Error, Result},
    ids::AccountId,
    input::Faults,
    mails::{self, Notice, Owed},
    memberships,
    passwords::ClaimedPassword,
    precondition::Precondition,
    sessions::{Confirmed, StepUp},
};

/// What it takes to delete an organization.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Deletion {
    /// The caller's.
    pub password: ClaimedPassword,
}

impl StepUp for Deletion {
    fn password(&self) -> &ClaimedPassword {
        &self.password
    }
}

/// Closes the organization at once and deletes it in fourteen days. Its owners are told; one of them may restore it until
/// then. A second time changes nothing.
///
/// # Errors
/// Those of the precondition.
pub async fn delete(
    scope: &mut Scope<OwnOrganization>,
    precondition: &Precondition,
    confirmed: &Confirmed,
) -> Result<Written<Organization>> {
    let core = scope.core();
    let actor = memberships::lock_actor::<OwnOrganization>(core).await?;
    if actor.id != confirmed.account {
        return Err(Error::Unauthenticated);
    }
    precondition.check(find(core).await?.version)?;
    let due_at = sqlx::query_scalar!(
        r#"update organizations set deletion_due_at = now() + interval '14 days', version = version + 1
           where id = current_org() and deletion_due_at is null returning deletion_due_at as "due_at!: Timestamp""#
    )
    .fetch_optional(core.sql())
    .await?;
    let organization = find(core).await?;
    let Some(due_at) = due_at else { return Ok(Written(organization)) };
    let event = Event::new(Action::OrganizationDeleted).about(organization.id).after(json!({ "due_at": due_at }));
    audit::record(core, event).await?;
    let owners = sqlx::query!(
        r#"select m.account_id as "id: AccountId", a.name, m.account_id = current_account() as "own!"
           from memberships m join accounts a on a.id = m.account_id where m.role = 'owner' and m.status = 'active'"#
    )
    .fetch_all(core.sql())
    .await?;
    let by = owners.iter().find(|owner| owner.own).map_or_else(String::new, |owner| owner.name.clone());
    let notice = Notice::OrganizationDeleted { organization: organization.name.clone(), by, due_at: due_at.to_jiff() };
    let told: Vec<Owed> = owners.iter().map(|owner| Owed::notice(owner.id, &notice)).collect();
    Ok(mails::owe(core, &told).await?.map(|()| organization))
}

/// Opens it again. What fell due in the meantime was not sent and will not be.
///
/// # Errors
/// The database's.
pub async fn restore(scope: &mut Scope<OwnOrganization>) -> Result<Written<Organization>> {
    let core = scope.core();
    memberships::lock_actor::<OwnOrganization>(core).await?;
    let restored = sqlx::query!(
        "update organizations set deletion_due_at = null, version = version + 1
         where id = current_org() and deletion_due_at is not null"
    )
    .execute(core.sql())
    .await?;
    let organization = find(core).await?;
    if restored.rows_affected() == 1 {
        audit::record(core, Event::new(Action::OrganizationRestored).about(organization.id)).await?;
    }
    Ok(Written(organization))
}
