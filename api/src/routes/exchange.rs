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

#[get("/<_>/export", format = "application/x-ndjson")]
pub(crate) async fn export(still: Still<ReadAudit>, desk: &State<Desk>) -> Answer<Attachment<Lines>> {
    let Still { scope, seat: _seat } = still;
    Ok(Attachment::of(exchange::export(scope, desk).await?))
}

#[post("/<_>/import", data = "<upload>")]
pub(crate) async fn import(upload: Upload<UpdateOrganization, Whole, ImportOptions>) -> Answer<Changed<Imported>> {
    let Upload { mut scope, body, options, seat: _seat } = upload;
    let imported = exchange::import(&mut scope, body, &options).await?;
    Changed::tried(scope, imported, options.dry_run.0).await
}

#[get("/<_>/tasks.csv", format = "text/csv")]
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
    let Upload { mut scope, body, options, seat: _seat } = upload;
    let imported = exchange::import_tasks(&mut scope, id.found()?, body, &options).await?;
    Changed::tried(scope, imported, options.dry_run.0).await
}
