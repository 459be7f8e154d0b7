use common::{db::Db, shown::Shown};
use rocket::{State, get};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::{Answer, Found};

/// The process is well, or ready.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// How it is.
    status: Condition,
}

/// How a process is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Condition {
    /// It lives.
    Alive,
    /// It can serve requests.
    Ready,
}

impl Shown for Health {}

/// The process lives; asks nothing of others, so that their absence restarts nobody.
#[get("/livez")]
pub(crate) async fn livez() -> Found<Health> {
    Found(Health { status: Condition::Alive })
}

/// Requests can be served: Postgres answers. Redis is not asked, since nothing needs it.
#[get("/readyz")]
pub(crate) async fn readyz(db: &State<Db>) -> Answer<Found<Health>> {
    db.ping().await?;
    Ok(Found(Health { status: Condition::Ready }))
}
