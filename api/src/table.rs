//! The mounted routes, asked about a path: what tells 405, 406 and 415 from 404, which Rocket does not.

use rocket::{Request, Route, http::Method};

/// The routes with the path of a request, whatever their method.
fn routes<'r>(request: &'r Request<'_>) -> impl Iterator<Item = &'r Route> {
    let path: Vec<&str> = request.uri().path().segments().collect();
    request.rocket().routes().filter(move |route| fits(route.uri.path(), &path))
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
    let mut methods: Vec<&str> = routes(request).map(|route| route.method.as_str()).collect();
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
    routes(request).filter(offers).filter_map(|route| route.format.as_ref()).map(ToString::to_string).collect()
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
