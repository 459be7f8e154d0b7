use common::{
    access::{InProject, Member, ReadTasks},
    ids::ProjectId,
    notifications::{self, Mute, Muted, NotificationSettings, SettingsChanges},
};
use rocket::{delete, get, patch, put};

use crate::{
    answer::{All, Answer, Changed, Done, Found},
    guards::{Id, IfMatch, In, Org},
};

#[get("/<_>/notification-settings")]
pub(crate) async fn show(mut org: Org<Member>) -> Answer<Found<NotificationSettings>> {
    Ok(Found(notifications::show(&mut org).await?))
}

#[patch("/<_>/notification-settings", data = "<input>")]
pub(crate) async fn update(
    if_match: IfMatch,
    input: In<Member, SettingsChanges>,
) -> Answer<Changed<NotificationSettings>> {
    let In { mut scope, body } = input;
    let settings = notifications::update(&mut scope, &if_match.0, body).await?;
    Changed::commit(scope, settings).await
}

#[get("/<_>/mutes")]
pub(crate) async fn mutes(mut org: Org<ReadTasks>) -> Answer<Found<All<Mute>>> {
    Ok(Found(All { data: notifications::mutes(&mut org).await? }))
}

#[put("/<_>/projects/<id>/mute")]
pub(crate) async fn mute(mut org: Org<ReadTasks>, id: Id<ProjectId>) -> Answer<Changed<Muted>> {
    let mut project = InProject::<ReadTasks>::enter(&mut org, id.found()?).await?;
    let muted = notifications::mute(&mut project).await?;
    Changed::commit(org.0, muted).await
}

#[delete("/<_>/projects/<id>/mute")]
pub(crate) async fn unmute(mut org: Org<ReadTasks>, id: Id<ProjectId>) -> Answer<Done> {
    let mut project = InProject::<ReadTasks>::enter(&mut org, id.found()?).await?;
    let done = notifications::unmute(&mut project).await?;
    Done::commit(org.0, done).await
}
