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

use rocket::{Build, Request, Rocket, Route, catchers, routes};

use crate::problem;

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
        .register("/", catchers![problem::any])
}

/// The methods that the path of a request has on other routes: what tells 405 from 404, which Rocket does not.
pub(crate) fn other_methods(request: &Request<'_>) -> Vec<String> {
    let path: Vec<&str> = request.uri().path().segments().collect();
    let fits = |route: &&Route| {
        let pattern: Vec<&str> = route.uri.path().split('/').filter(|segment| !segment.is_empty()).collect();
        pattern.len() == path.len()
            && pattern.iter().zip(&path).all(|(known, given)| known.starts_with('<') || known == given)
    };
    let mut methods: Vec<_> = request.rocket().routes().filter(fits).map(|route| route.method.to_string()).collect();
    methods.sort();
    methods.dedup();
    methods
}
