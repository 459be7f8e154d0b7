//! The API's table of contents.

mod accounts;
mod audit;
mod deletion;
mod deliveries;
mod emails;
mod health;
mod invitations;
mod memberships;
mod organizations;
mod passwords;
mod projects;
mod roles;
mod second_factor;
mod sessions;
mod tasks;
mod tokens;

use rocket::{Build, Rocket, routes};

/// Every route. Under `/v1/orgs` the first segment is always the organization, and only the guards read it.
pub(crate) fn mount(rocket: Rocket<Build>) -> Rocket<Build> {
    rocket
        .mount("/", routes![health::livez, health::readyz])
        .mount("/v1/accounts", routes![accounts::create])
        .mount("/v1/verifications", routes![accounts::verify, accounts::resend])
        .mount("/v1/password-resets", routes![passwords::ask, passwords::complete])
        .mount("/v1/email-changes", routes![emails::confirm])
        .mount("/v1/invitations", routes![invitations::decline])
        .mount("/v1/sessions", routes![sessions::create])
        .mount("/v1/me", routes![accounts::me, accounts::update, accounts::export, memberships::accept])
        .mount("/v1/me", routes![passwords::change, emails::ask, audit::list_mine])
        .mount("/v1/me", routes![deletion::plan, deletion::request, deletion::cancel])
        .mount(
            "/v1/me",
            routes![sessions::list, sessions::destroy, sessions::destroy_current, sessions::destroy_others],
        )
        .mount("/v1/me", routes![tokens::create, tokens::list, tokens::destroy])
        .mount("/v1/me", routes![second_factor::show, second_factor::enrol, second_factor::switch_on])
        .mount("/v1/me", routes![tasks::mine])
        .mount("/v1/me", routes![second_factor::renew_codes, second_factor::switch_off])
        .mount(
            "/v1/orgs",
            routes![organizations::create, organizations::list, organizations::show, organizations::update],
        )
        .mount("/v1/orgs", routes![organizations::destroy, organizations::restore, memberships::transfer])
        .mount(
            "/v1/orgs",
            routes![memberships::list, memberships::change_role, memberships::destroy, memberships::leave],
        )
        .mount("/v1/orgs", routes![memberships::suspend, memberships::reinstate, memberships::explain, audit::list])
        .mount("/v1/orgs", routes![invitations::create, invitations::list, invitations::resend, invitations::destroy])
        .mount("/v1/orgs", routes![roles::list, roles::create, roles::show, roles::update, roles::destroy])
        .mount("/v1/orgs", routes![projects::create, projects::list, projects::show, projects::update])
        .mount("/v1/orgs", routes![projects::grants, projects::grant, projects::withdraw, projects::break_glass])
        .mount("/v1/orgs", routes![tasks::create, tasks::list, tasks::show, tasks::complete, tasks::changes])
        .mount("/v1/orgs", routes![deliveries::list, deliveries::show])
}
