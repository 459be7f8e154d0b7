//! The end of an account, which comes with a delay. What must go is gone after it (`purge`).

use jiff_sqlx::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::lock;
use crate::{
    access::{Core, Me, Scope, Written},
    audit::{self, Action, Event},
    calendar,
    error::{Error, Result},
    ids::OrgId,
    mails::{self, Notice, Owed},
    sessions::{self, Confirmed},
    shown::shown,
    tokens,
};

/// How long the owner of an account may change their mind.
const GRACE_DAYS: u8 = 14;

/// What the end of the caller's account means, as things stand now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeletionPlan {
    /// When; null as long as nobody has asked for it.
    pub due_at: Option<Timestamp>,
    /// How long it takes from the asking.
    pub grace_days: u8,
    /// What becomes of the caller's organizations, or of their part in them.
    pub organizations: Vec<OrganizationFate>,
    /// How many sessions beside the caller's end with the asking.
    pub sessions: i64,
    /// How many personal tokens are revoked with the asking.
    pub tokens: i64,
}

shown!(DeletionPlan);

/// What becomes of one organization.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrganizationFate {
    /// Its id.
    pub org_id: OrgId,
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The kind of end.
    pub fate: Fate,
    /// Projects whose only manager the caller is: its owners run them from then on.
    pub projects_handed_over: i64,
    /// Open tasks that are assigned to the caller, and to them no more.
    pub tasks_unassigned: i64,
}

/// What becomes of an organization, or of the caller's part in it, when their account ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Fate {
    /// It has other members and no other owner: the account stays until it has one.
    Blocked,
    /// The caller is its last member, and it goes with them; or it is being deleted anyway.
    Deleted,
    /// The caller leaves it.
    Left,
}

/// What the end would mean; changes nothing.
///
/// # Errors
/// The database's.
pub async fn plan(scope: &mut Scope<Me>) -> Result<DeletionPlan> {
    plan_of(scope.core()).await
}

/// Lets the account end in fourteen days. Until then it is as it was, but for its other sessions, its personal tokens and the
/// address of its calendar, which end now. A second time changes nothing.
///
/// # Errors
/// `last_owner` while an organization would be left without one.
pub async fn request(scope: &mut Scope<Me>, confirmed: &Confirmed) -> Result<Written<DeletionPlan>> {
    let core = scope.core();
    let account = lock(core).await?.filter(|account| account.id == confirmed.account).ok_or(Error::Unauthenticated)?;
    let plan = plan_of(core).await?;
    if plan.organizations.iter().any(|organization| organization.fate == Fate::Blocked) {
        return Err(Error::Conflict { code: "last_owner", detail: "an organization keeps at least one active owner" });
    }
    if account.deletion_due_at.is_some() {
        return Ok(Written(plan));
    }
    let due_at = sqlx::query_scalar!(
        r#"update accounts set deletion_due_at = now() + make_interval(days => $1), version = version + 1
           where id = current_account() returning deletion_due_at as "due_at!: Timestamp""#,
        i32::from(GRACE_DAYS),
    )
    .fetch_one(core.sql())
    .await?;
    let told = serde_json::json!({ "due_at": due_at });
    audit::record(core, Event::new(Action::AccountDeletionRequested).about(account.id).after(told)).await?;
    sessions::end_all_but_own(core).await?;
    tokens::revoke_all(core).await?;
    calendar::end(core).await?;
    let notice = Notice::DeletionRequested { due_at: due_at.to_jiff() };
    let written = mails::owe(core, &[Owed::notice(account.id, &notice)]).await?;
    let plan = plan_of(core).await?;
    Ok(written.map(|()| plan))
}

/// The account stays after all. What has ended with the asking has ended.
///
/// # Errors
/// The database's.
pub async fn cancel(scope: &mut Scope<Me>) -> Result<Written<()>> {
    let core = scope.core();
    let account = lock(core).await?.ok_or(Error::Unauthenticated)?;
    if let Some(due_at) = account.deletion_due_at {
        sqlx::query!("update accounts set deletion_due_at = null, version = version + 1 where id = current_account()")
            .execute(core.sql())
            .await?;
        let told = serde_json::json!({ "due_at": due_at });
        audit::record(core, Event::new(Action::AccountDeletionCancelled).about(account.id).before(told)).await?;
    }
    Ok(Written(()))
}

async fn plan_of(core: &mut Core) -> Result<DeletionPlan> {
    // Always of the caller: the function would tell it of anybody. Row security leaves what the caller is an active member of;
    // an organization that is deleted itself will be gone before the account is.
    let organizations = sqlx::query_as!(
        OrganizationFate,
        r#"select p.org_id as "org_id!: OrgId", p.slug as "slug!", p.name as "name!",
                  case when o.deletion_due_at is null then p.fate else 'deleted' end as "fate!: Fate",
                  p.handed_over as "projects_handed_over!", p.unassigned as "tasks_unassigned!"
           from deletion_plan(current_account()) p join organizations o on o.id = p.org_id order by p.org_id"#
    )
    .fetch_all(core.sql())
    .await?;
    let rest = sqlx::query!(
        r#"select deletion_due_at,
                  (select count(*) from sessions where id is distinct from current_credential() and expires_at > now()
                          and last_used_at > now() - interval '14 days') as "sessions!",
                  (select count(*) from tokens where account_id = current_account() and revoked_at is null
                          and expires_at > now()) as "tokens!"
           from accounts where id = current_account()"#
    )
    .fetch_one(core.sql())
    .await?;
    Ok(DeletionPlan {
        due_at: rest.deletion_due_at,
        grace_days: GRACE_DAYS,
        organizations,
        sessions: rest.sessions,
        tokens: rest.tokens,
    })
}
