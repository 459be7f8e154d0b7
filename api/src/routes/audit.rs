use common::{
    access::ReadAudit,
    audit::{self, AuditEvent, AuditFilter},
    page::Page,
};
use rocket::get;

use crate::{
    answer::{Answer, Found},
    guards::{Caller, Org, Query},
};

#[get("/<_>/audit")]
pub(crate) async fn list(mut org: Org<ReadAudit>, filter: Query<AuditFilter>) -> Answer<Found<Page<AuditEvent>>> {
    Ok(Found(audit::list(&mut org, filter.0).await?))
}

#[get("/audit")]
pub(crate) async fn list_mine(mut caller: Caller, filter: Query<AuditFilter>) -> Answer<Found<Page<AuditEvent>>> {
    Ok(Found(audit::list_mine(&mut caller.0, filter.0).await?))
}
