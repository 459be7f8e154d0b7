use rocket::{Request, Response};
use uuid::Uuid;

/// The trace that a request is part of (W3C Trace Context), and our own place in it.
struct Trace {
    id: String,
    span: String,
    flags: u8,
}

/// The trace's id, for log lines. None, unless the client has told one: a trace of a single request is its request id.
pub(crate) fn trace_id<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    trace(request).map(|trace| trace.id.as_str())
}

fn trace<'r>(request: &'r Request<'_>) -> Option<&'r Trace> {
    let trace: &Option<Trace> = request.local_cache(|| {
        let mut given = request.headers().get("traceparent");
        let (only, another) = (given.next(), given.next());
        let (id, flags) = only.filter(|_| another.is_none()).and_then(parse)?;
        // Of these 64 bits the upper two are constant, so they are never all zero; the rest is random.
        let span = format!("{:016x}", Uuid::now_v7().as_u64_pair().1);
        Some(Trace { id: id.to_owned(), span, flags })
    });
    trace.as_ref()
}

/// Tells in an answer which span of the trace it was.
pub(super) fn tell(request: &Request<'_>, response: &mut Response<'_>) {
    if let Some(Trace { id, span, flags }) = trace(request) {
        response.set_raw_header("traceparent", format!("00-{id}-{span}-{flags:02x}"));
    }
}

/// Trace id and flags. What is not exactly as the standard says is as good as nothing; of a version of tomorrow, what is ours
/// to know stands in front.
pub(crate) fn parse(header: &str) -> Option<(&str, u8)> {
    let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let (known, rest) = (header.get(..55)?, header.get(55..)?);
    let mut parts = known.split('-');
    let (version, id, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lengths = [version, id, parent, flags].map(str::len) == [2, 32, 16, 2] && parts.next().is_none();
    let whole = rest.is_empty() || (version != "00" && rest.starts_with('-'));
    let valid = lengths && whole && [version, id, parent, flags].into_iter().all(hex) && version != "ff";
    let something = |id: &str| id.bytes().any(|byte| byte != b'0');
    if !valid || !something(id) || !something(parent) {
        return None;
    }
    // Sampled, and that the id is random; other flags are not ours to pass on.
    u8::from_str_radix(flags, 16).ok().map(|flags| (id, flags & 0b11))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_traceparent_is_read_as_the_standard_says_or_not_at_all() {
        let good = format!("00-{ID}-00f067aa0ba902b7-01");
        assert_eq!(parse(&good), Some((ID, 1)));
        assert_eq!(parse(&good.replace("-01", "-ff")), Some((ID, 3)));
        assert_eq!(parse(&good.replace("00-4", "cc-4")), Some((ID, 1)));
        assert_eq!(parse(&format!("{}-what-the-future-is-like", good.replace("00-4", "cc-4"))), Some((ID, 1)));
        for bad in [
            String::new(),
            good.to_uppercase(),
            good.replace("00-4", "ff-4"),
            good.replace("00-4", "0-4"),
            good.replace(ID, &"0".repeat(32)),
            good.replace("00f067aa0ba902b7", &"0".repeat(16)),
            good.replace('b', "g"),
            good.replace('-', "_"),
            format!("{good}-00"),
            format!("{good} "),
            format!(" {good}"),
            format!("{}x", good.replace("00-4", "cc-4")),
            good[..54].to_owned(),
            good.replace("7b3", "7ß"),
            format!("00-{ID}-00f067aa0ba902b7-0-"),
            format!("00-{ID}-00f067aa0ba9-2b7-01"),
        ] {
            assert_eq!(parse(&bad), None, "{bad}");
        }
    }
}
