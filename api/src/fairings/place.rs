use rocket::Request;

/// Which part of the server a request asks for, by the path as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `/v1`, for programs.
    Api,
    /// `/links`, for people.
    Page,
    /// For whoever looks whether the process is well: never refused.
    Probe,
    /// The rest.
    Other,
}

/// Remembered from the first time: a request that is refused loses its path.
pub(crate) fn place(request: &Request<'_>) -> Place {
    *request.local_cache(|| match request.uri().path().segments().next() {
        Some("v1") => Place::Api,
        Some("links") => Place::Page,
        Some("livez" | "readyz") => Place::Probe,
        _ => Place::Other,
    })
}
