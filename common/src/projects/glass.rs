//! Breaking the glass: an owner's way into a private project. Nothing is silent about it.

use deserr::Deserr;
use serde_json::json;
use utoipa::ToSchema;

use super::{Grant, Visibility};
use crate::{
    access::{GrantRole, OwnOrganization, Scope, Written},
    audit::{self, Action, Event},
    error::{Error, Result},
    ids::{AccountId, ProjectId},
    input::Faults,
    mails::{self, Notice, Owed},
    memberships, reminders,
    text::Name,
};

/// Why an owner takes access.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct BreakGlass {
    /// In a line; the managers read it.
    pub reason: Name,
}

/// Makes the calling owner a manager of any project, of a private one that they cannot see too. It stands in the audit log,
/// and the project's managers get a mail.
///
/// # Errors
/// [`Error::NotFound`] when there is no such project.
pub async fn break_glass(scope: &mut Scope<OwnOrganization>, id: ProjectId, why: BreakGlass) -> Result<Written<Grant>> {
    let core = scope.core();
    let actor = memberships::lock_actor::<OwnOrganization>(core).await?;
    let project = sqlx::query!(
        r#"select p.name, p.visibility as "visibility: Visibility", o.name as organization, a.name as by
           from projects p, organizations o, accounts a
           where p.id = $1 and a.id = current_account() for no key update of p"#,
        id.0,
    )
    .fetch_optional(core.sql())
    .await?
    .ok_or(Error::NotFound)?;
    let managers = sqlx::query_scalar!(
        r#"select g.account_id as "id: AccountId" from project_grants g
           join memberships m on m.org_id = g.org_id and m.account_id = g.account_id and m.status = 'active'
           where g.project_id = $1 and g.role = 'manager' and g.account_id <> current_account()"#,
        id.0,
    )
    .fetch_all(core.sql())
    .await?;
    sqlx::query!(
        "insert into project_grants (org_id, project_id, account_id, role) values (current_org(), $1, current_account(), 'manager')
         on conflict on constraint project_grants_pkey do update set role = 'manager'",
        id.0,
    )
    .execute(core.sql())
    .await?;
    reminders::ask(core, actor.id).await?;
    let event = Event::new(Action::ProjectGlassBroken)
        .about(id)
        .after(json!({ "reason": why.reason, "visibility": project.visibility, "account": actor.id }));
    audit::record(core, event).await?;
    let notice = Notice::GlassBroken {
        organization: project.organization,
        project: project.name,
        by: project.by,
        reason: why.reason.to_string(),
    };
    let told: Vec<Owed> = managers.into_iter().map(|manager| Owed::notice(manager, &notice)).collect();
    Ok(mails::owe(core, &told).await?.map(|()| Grant { account_id: actor.id, role: GrantRole::Manager }))
}
