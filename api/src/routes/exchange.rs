use common::{
    access::{ReadAudit, ReadTasks, UpdateOrganization, WriteTasks},
    exchange::{self, Desk, ImportOptions, Imported, TableFilter, TableOptions, Whole},
    ids::ProjectId,
};
use rocket::{State, get, post};

use crate::{
    answer::{Answer, Attachment, Changed, Lines, Table},
    guards::{Id, Query, Still, Upload},
};

#[get("/<_>/export")]
pub(crate) async fn export(still: Still<ReadAudit>, desk: &State<Desk>) -> Answer<Attachment<Lines>> {
    let Still { scope, seat: _seat } = still;
    Ok(Attachment::of(exchange::export(scope, desk).await?))
}

#[post("/<_>/import", data = "<upload>")]
pub(crate) async fn import(upload: Upload<UpdateOrganization, Whole, ImportOptions>) -> Answer<Changed<Imported>> {
    let Upload { scope, body, options, seat: _seat } = upload;
    Changed::of(&exchange::import(scope, body, options).await?)
}

#[get("/<_>/tasks.csv")]
pub(crate) async fn export_tasks(
    still: Still<ReadTasks>,
    filter: Query<TableFilter>,
    desk: &State<Desk>,
) -> Answer<Attachment<Table>> {
    let Still { scope, seat: _seat } = still;
    Ok(Attachment::of(exchange::export_tasks(scope, desk, filter.0).await?))
}

#[post("/<_>/projects/<id>/tasks/import", data = "<upload>")]
pub(crate) async fn import_tasks(
    id: Id<ProjectId>,
    upload: Upload<WriteTasks, exchange::Table, TableOptions>,
) -> Answer<Changed<Imported>> {
    let Upload { scope, body, options, seat: _seat } = upload;
    Changed::of(&exchange::import_tasks(scope, id.found()?, body, options).await?)
}
