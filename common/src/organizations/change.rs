use deserr::Deserr;
use serde_json::json;
use utoipa::ToSchema;

use super::{Organization, find};
use crate::{
    access::{Scope, UpdateOrganization, Written},
    audit::{self, Action, Event},
    error::Result,
    input::{Faults, Given},
    notifications::DefaultReminders,
    precondition::Precondition,
    reminders,
    text::{Name, Slug},
    time::TimeZoneName,
};

/// A change of an organization's settings; what is absent stays, and nothing can be cleared.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct OrganizationChanges {
    /// Its name in URLs. Members who use the old one are sent to the new one; nobody else can take it.
    #[deserr(default)]
    pub slug: Given<Slug>,
    /// Its name.
    #[deserr(default)]
    pub name: Given<Name>,
    /// IANA name; counts for members who have chosen none.
    #[deserr(default)]
    pub time_zone: Given<TimeZoneName>,
    /// What a new task gets that is due and says nothing of reminders.
    #[deserr(default)]
    pub default_reminders: Given<DefaultReminders>,
}

/// Changes the settings. What is the same already makes no version.
///
/// # Errors
/// `slug_taken`; those of the precondition.
pub async fn update(
    scope: &mut Scope<UpdateOrganization>,
    precondition: &Precondition,
    changes: OrganizationChanges,
) -> Result<Written<Organization>> {
    let core = scope.core();
    sqlx::query!("select id from organizations where id = current_org() for no key update")
        .fetch_one(core.sql())
        .await?;
    let before = find(core).await?;
    precondition.check(before.version)?;
    // A slug that comes back is no former one any more; one that goes becomes one.
    if let Some(slug) = changes.slug.0.as_ref().filter(|slug| slug.as_str() != before.slug) {
        sqlx::query!(
            "with back as (delete from former_slugs where slug = $1)
             insert into former_slugs (slug, org_id) values ($2, current_org())",
            slug.as_str(),
            before.slug,
        )
        .execute(core.sql())
        .await?;
    }
    let written = sqlx::query!(
        "with wanted as (
             select coalesce($1, slug) as slug, coalesce($2, name) as name, coalesce($3, time_zone) as time_zone,
                    coalesce($4, default_reminders) as default_reminders
             from organizations where id = current_org())
         update organizations o set slug = w.slug, name = w.name, time_zone = w.time_zone,
                default_reminders = w.default_reminders, version = version + 1
         from wanted w
         where o.id = current_org() and (o.slug, o.name, o.time_zone, o.default_reminders)
               is distinct from (w.slug, w.name, w.time_zone, w.default_reminders)",
        changes.slug.0.as_ref().map(Slug::as_str),
        changes.name.0.as_ref().map(Name::as_str),
        changes.time_zone.0.as_ref().map(TimeZoneName::as_str),
        changes.default_reminders.0.as_ref() as Option<&DefaultReminders>,
    )
    .execute(core.sql())
    .await?;
    if written.rows_affected() == 0 {
        return Ok(Written(before));
    }
    let after = find(core).await?;
    if after.time_zone != before.time_zone {
        reminders::ask_who_follows_the_organization(core).await?;
    }
    let told = |o: &Organization| json!({ "slug": o.slug, "name": o.name, "time_zone": o.time_zone, "default_reminders": o.default_reminders });
    let event = Event::new(Action::OrganizationUpdated).about(after.id).before(told(&before)).after(told(&after));
    audit::record(core, event).await?;
    Ok(Written(after))
}
