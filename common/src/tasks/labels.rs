//! The labels of a project as tasks name them.

use super::{LabelRef, TaskFault, TaskLabel, input::Named};
use crate::{
    access::Core,
    error::Result,
    ids::{LabelId, ProjectId},
    input::Faults,
};

/// The labels that are meant, by name; one that is meant twice counts once.
///
/// # Errors
/// `no_such_label` for each that the project has not.
pub(super) async fn meant(core: &mut Core, project: ProjectId, refs: &[LabelRef]) -> Result<Vec<TaskLabel>> {
    if refs.is_empty() {
        return Ok(Vec::new());
    }
    let ids = refs.iter().map(|label| if let Named::Id(id) = &label.0 { Some(id.0) } else { None });
    let names = refs.iter().map(|label| if let Named::Name(name) = &label.0 { Some(name.clone()) } else { None });
    let rows = sqlx::query!(
        r#"select r.place::int as "place!", l.id as "id?: LabelId", l.name as "name?", l.colour
           from unnest($2::uuid[], $3::text[]) with ordinality as r (id, name, place)
                left join labels l on l.project_id = $1 and (l.id = r.id or lower(l.name) = lower(r.name))
           order by lower(l.name)"#,
        project.0,
        &ids.collect::<Vec<_>>() as _,
        &names.collect::<Vec<_>>() as _,
    )
    .fetch_all(core.sql())
    .await?;
    let (mut labels, mut faults): (Vec<TaskLabel>, Vec<_>) = (Vec::new(), Vec::new());
    for row in rows {
        if let (Some(id), Some(name)) = (row.id, row.name) {
            labels.push(TaskLabel { id, name, colour: row.colour });
        } else {
            faults.push(row.place);
        }
    }
    if faults.is_empty() {
        labels.dedup_by_key(|label| label.id);
        Ok(labels)
    } else {
        faults.sort_unstable();
        let fault = |place: i32| Faults::at(&format!("/labels/{}", place - 1), &TaskFault::NoSuchLabel).0;
        Err(Faults(faults.into_iter().flat_map(fault).collect()).into())
    }
}
