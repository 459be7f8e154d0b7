//! Reading: lists, search, one's own tasks, what has changed.

mod changes;
mod cost;
mod filters;
mod mine;
mod pages;
mod search;
mod shape;

use harness::{Actor, Reply};
use serde_json::Value;

/// What a list shows of each item.
fn column(reply: Reply, field: &str) -> Vec<String> {
    let list = reply.is(200).json();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    list["data"].as_array().unwrap().iter().map(|item| text(&item[field])).collect()
}

/// The keys of a list.
async fn keys(actor: &Actor, path: &str) -> Vec<String> {
    column(actor.get(path).await, "key")
}

/// The keys of a list, page after page, by the `Link` header alone.
async fn all_keys(actor: &Actor, path: &str) -> Vec<String> {
    let mut path = path.to_owned();
    let mut seen = Vec::new();
    loop {
        let reply = actor.get(&path).await;
        let next = reply.header("link").map(|link| {
            let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap();
            next.to_owned()
        });
        seen.extend(column(reply, "key"));
        match next {
            Some(next) => path = next,
            None => return seen,
        }
    }
}
