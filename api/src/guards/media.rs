use rocket::{Request, http::Method};

use crate::problem::Problem;

/// Whether the body is declared to be JSON in UTF-8; to a PATCH also as the merge patch (RFC 7396) that it is.
pub(super) fn json(request: &Request<'_>) -> Result<(), Problem> {
    let patch = request.method() == Method::Patch;
    let declared = request.content_type().is_some_and(|media| {
        let merge_patch = patch && media.top() == "application" && media.sub() == "merge-patch+json";
        let mut charsets = media.params().filter(|(name, _)| *name == "charset");
        (media.is_json() || merge_patch)
            && charsets.all(|(_, charset)| charset.trim_matches('"').eq_ignore_ascii_case("utf-8"))
    });
    let refusal = if patch { Problem::unsupported_patch } else { Problem::unsupported };
    if declared { Ok(()) } else { Err(refusal()) }
}
