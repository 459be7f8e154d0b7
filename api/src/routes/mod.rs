//! The API's table of contents.

mod accounts;
mod deliveries;
mod health;
mod invitations;
mod memberships;
mod organizations;
mod projects;
mod sessions;
mod tasks;

use rocket::{Build, Rocket, routes};

/// Every route. Under `/v1/orgs` the first segment is always the organization, and only the guards read it.
pub(crate) fn mount(rocket: Rocket<Build>) -> Rocket<Build> {
    rocket
        .mount("/", routes![health::livez, health::readyz])
        .mount("/v1/accounts", routes![accounts::create])
        .mount("/v1/verifications", routes![accounts::verify])
        .mount("/v1/sessions", routes![sessions::create])
        .mount("/v1/me", routes![accounts::me, memberships::accept])
        .mount("/v1/orgs", routes![organizations::create, organizations::list, organizations::show])
        .mount("/v1/orgs", routes![memberships::list, memberships::change_role])
        .mount("/v1/orgs", routes![invitations::create, invitations::list])
        .mount("/v1/orgs", routes![projects::create, projects::list, projects::show, projects::grant])
        .mount("/v1/orgs", routes![tasks::create, tasks::list, tasks::show, tasks::complete])
        .mount("/v1/orgs", routes![deliveries::list, deliveries::show])
}
