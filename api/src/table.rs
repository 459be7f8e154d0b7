//! The mounted routes, asked about a path: what tells 405, 406 and 415 from 404, which Rocket does not.

use std::collections::HashSet;

use rocket::{
    Data, Request, Route,
    http::{Method, Status},
    route::{BoxFuture, Outcome},
};

/// What a shadow is called.
const SHADOW: &str = "shadow";
/// Before whatever has a rank that Rocket or a handler gives.
const FIRST: isize = -100;

/// The routes with the path of a request, whatever their method: of `/tasks/batch` not those of `/tasks/<id>`.
fn routes<'r>(request: &'r Request<'_>) -> Vec<&'r Route> {
    let path: Vec<&str> = request.uri().path().segments().collect();
    let known = request.rocket().routes().filter(|route| !is_shadow(route));
    let mut fitting: Vec<(usize, &Route)> = known
        .filter(|route| fits(route.uri.path(), &path))
        .map(|route| (route.uri.path().matches('<').count(), route))
        .collect();
    let open = fitting.iter().map(|(open, _)| *open).min();
    fitting.retain(|(count, _)| Some(*count) == open);
    fitting.into_iter().map(|(_, route)| route).collect()
}

/// Whether a route is there only so that no other answers in its place.
pub(crate) fn is_shadow(route: &Route) -> bool {
    route.name.as_deref() == Some(SHADOW)
}

/// Where one path is also read by the pattern of others, as `/tasks/batch` by `/tasks/<id>`, the methods of those are none of its own:
/// these routes come first and answer nothing, so that a catcher says 405.
pub(crate) fn shadows(known: &[(&'static str, Route)]) -> Vec<(&'static str, Route)> {
    let whole = |(base, route): &(&'static str, Route)| format!("{base}{}", route.uri.path());
    let methods = |pattern: &str| -> HashSet<Method> {
        known.iter().filter(|one| whole(one) == pattern).map(|(_, route)| route.method).collect()
    };
    let mut shadows: Vec<(&'static str, Route)> = Vec::new();
    for literal in known {
        let pattern = whole(literal);
        let segments: Vec<&str> = pattern.split('/').filter(|segment| !segment.is_empty()).collect();
        let wider = known
            .iter()
            .map(whole)
            .filter(|wider| wider.matches('<').count() > pattern.matches('<').count() && fits(wider, &segments));
        let theirs: HashSet<Method> = wider.flat_map(|wider| methods(&wider)).collect();
        for method in theirs.difference(&methods(&pattern)) {
            let path = literal.1.uri.path();
            if shadows
                .iter()
                .any(|(base, route)| *base == literal.0 && route.uri.path() == path && route.method == *method)
            {
                continue;
            }
            let mut shadow = Route::ranked(FIRST, *method, path, nothing);
            shadow.name = Some(SHADOW.into());
            shadows.push((literal.0, shadow));
        }
    }
    shadows
}

fn nothing<'r>(_: &'r Request<'_>, _: Data<'r>) -> BoxFuture<'r> {
    Box::pin(async { Outcome::Error(Status::NotFound) })
}

fn fits(pattern: &str, path: &[&str]) -> bool {
    let pattern: Vec<&str> = pattern.split('/').filter(|segment| !segment.is_empty()).collect();
    let (pattern, open) = match pattern.split_last() {
        Some((last, before)) if last.ends_with("..>") => (before, true),
        _ => (pattern.as_slice(), false),
    };
    let long_enough = if open { path.len() >= pattern.len() } else { path.len() == pattern.len() };
    long_enough && pattern.iter().zip(path).all(|(known, given)| known.starts_with('<') || known == given)
}

/// Whether something can be asked for under a path.
pub(crate) fn has_get(request: &Request<'_>, path: &str) -> bool {
    let path: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    request.rocket().routes().any(|route| route.method == Method::Get && fits(route.uri.path(), &path))
}

/// The methods that the path of a request has, as `Allow` lists them; none where there is nothing.
pub(crate) fn methods(request: &Request<'_>) -> Vec<&'static str> {
    let mut methods: Vec<&str> = routes(request).iter().map(|route| route.method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    if !methods.is_empty() {
        methods.push("OPTIONS");
    }
    methods.sort_unstable();
    methods.dedup();
    methods
}

/// The media types that routes offer for a request which say so: most offer JSON and say nothing.
pub(crate) fn formats(request: &Request<'_>) -> Vec<String> {
    let method = if request.method() == Method::Head { Method::Get } else { request.method() };
    // Of methods with a body, `format` is what they take.
    let offers = |route: &&Route| route.method == method && !method.supports_payload();
    let offering = routes(request).into_iter().filter(offers);
    offering.filter_map(|route| route.format.as_ref()).map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_segment_by_segment() {
        assert!(fits("/v1/orgs/<_>/tasks", &["v1", "orgs", "demo", "tasks"]));
        assert!(!fits("/v1/orgs/<_>/tasks", &["v1", "orgs", "demo", "projects"]));
        assert!(!fits("/v1/orgs/<_>", &["v1", "orgs"]));
        assert!(!fits("/v1/orgs", &["v1", "orgs", "demo"]));
        assert!(fits("/docs/<file..>", &["docs", "a", "b"]) && fits("/docs/<file..>", &["docs"]));
        assert!(!fits("/docs/<file..>", &["v1"]));
    }
}
