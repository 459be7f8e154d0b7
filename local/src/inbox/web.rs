//! The inbox over HTTP: pages for people, JSON for scripts.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use rocket::{
    Build, Config, Rocket, Shutdown, State,
    config::Shutdown as ShutdownConfig,
    fairing::AdHoc,
    get,
    http::{ContentType, Header},
    response::content::RawHtml,
    routes,
    serde::json::Json,
};
use serde::Serialize;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{message::Message, page, store::Store};
use crate::{Error, Result};

/// No scripts, and nothing from elsewhere, whatever a mail contains; a mail's frame inherits this.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                      base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

/// The inbox's web page, served until it is shut down or dropped.
#[derive(Debug)]
pub struct WebPage {
    address: SocketAddr,
    shutdown: Shutdown,
    server: JoinHandle<Result<(), String>>,
}

impl WebPage {
    pub(super) async fn start(address: SocketAddr, store: Arc<Store>) -> Result<Self> {
        let (ready, listening) = oneshot::channel();
        let rocket = rocket(address, store, ready).ignite().await;
        let rocket = rocket.map_err(|error| Error::Page(error.to_string()))?;
        let shutdown = rocket.shutdown();
        let launch = async { rocket.launch().await.map(drop).map_err(|error| error.to_string()) };
        let server = tokio::spawn(launch);
        if let Ok(port) = listening.await {
            return Ok(Self { address: SocketAddr::new(address.ip(), port), shutdown, server });
        }
        let why = server.await.unwrap_or_else(|error| Err(error.to_string())).err();
        Err(Error::Page(format!("{address}: {}", why.unwrap_or_default())))
    }

    /// Where it is.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops serving.
    pub async fn shutdown(mut self) {
        self.shutdown.clone().notify();
        // Its outcome is of no interest any more: either way it is over.
        let _ = (&mut self.server).await;
    }
}

impl Drop for WebPage {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn rocket(address: SocketAddr, store: Arc<Store>, ready: oneshot::Sender<u16>) -> Rocket<Build> {
    let config = Config {
        address: address.ip(),
        port: address.port(),
        log_level: rocket::config::LogLevel::Off,
        // The owner decides when to stop; a browser's open connection is not waited for.
        shutdown: ShutdownConfig { ctrlc: false, signals: [].into(), grace: 0, mercy: 0, ..ShutdownConfig::default() },
        ..Config::release_default()
    };
    rocket::custom(config)
        .manage(store)
        .mount("/", routes![index, show, list, raw])
        .attach(AdHoc::on_liftoff("port", |rocket| {
            let _ = ready.send(rocket.config().port);
            Box::pin(async {})
        }))
        .attach(AdHoc::on_response("policy", |_, response| {
            Box::pin(async move {
                response.set_header(Header::new("Content-Security-Policy", POLICY));
                response.set_header(Header::new("X-Content-Type-Options", "nosniff"));
                response.set_header(Header::new("Referrer-Policy", "no-referrer"));
                response.set_header(Header::new("Cache-Control", "no-store"));
            })
        }))
}

#[get("/")]
fn index(store: &State<Arc<Store>>) -> RawHtml<String> {
    RawHtml(page::list(&store.messages()))
}

#[get("/<id>")]
fn show(id: u64, store: &State<Arc<Store>>) -> Option<RawHtml<String>> {
    store.message(id).map(|message| RawHtml(page::mail(&message)))
}

#[get("/messages?<to>")]
fn list(to: Option<&str>, store: &State<Arc<Store>>) -> Json<Vec<Entry>> {
    let messages = store.messages();
    let to_them =
        |message: &&Arc<Message>| to.is_none_or(|to| message.to.iter().any(|address| address.eq_ignore_ascii_case(to)));
    Json(messages.iter().filter(to_them).map(|message| Entry::of(message)).collect())
}

/// As plain text and not as a mail, so that a browser shows it.
#[get("/messages/<id>/raw")]
fn raw(id: u64, store: &State<Arc<Store>>) -> Option<(ContentType, Vec<u8>)> {
    store.message(id).map(|message| (ContentType::Plain, message.raw.clone()))
}

/// A mail in the JSON list.
#[derive(Debug, Serialize)]
struct Entry {
    id: u64,
    from: String,
    to: Vec<String>,
    subject: String,
    received_at: String,
    message_id: Option<String>,
    text: Option<String>,
    html: Option<String>,
    headers: BTreeMap<String, String>,
}

impl Entry {
    fn of(message: &Message) -> Self {
        Self {
            id: message.id,
            from: message.from.clone(),
            to: message.to.clone(),
            subject: message.subject(),
            received_at: message.received_at_text(),
            message_id: message.header("Message-ID"),
            text: message.text(),
            html: message.html(),
            headers: message.headers().into_iter().collect(),
        }
    }
}
