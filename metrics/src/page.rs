//! `GET /metrics`, and nothing else, without a framework: the worker has none.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    select,
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};
use tracing::{info, warn};

/// The longest head of a request.
const HEAD: usize = 8 * 1024;
/// Who scrapes answers fast.
const DEADLINE: Duration = Duration::from_secs(10);
/// So many at the same time; there is seldom more than one.
const AT_ONCE: usize = 8;

/// Somebody else listens there, or the address is none of ours.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be shown at {address}: {why}")]
pub struct NotBound {
    address: SocketAddr,
    why: io::Error,
}

/// Listens, and answers nobody yet.
///
/// # Errors
/// The system's.
pub fn bind(address: SocketAddr) -> Result<TcpListener, NotBound> {
    let listener = std::net::TcpListener::bind(address);
    let listener = listener.and_then(|listener| {
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    });
    listener.map_err(|why| NotBound { address, why })
}

/// Answers until `stopped` turns true. `page` is asked anew at each scrape.
pub async fn serve<F>(
    listener: TcpListener,
    page: impl Fn() -> F + Send + Sync + 'static,
    mut stopped: watch::Receiver<bool>,
) where
    F: Future<Output = String> + Send,
{
    let (page, places) = (Arc::new(page), Arc::new(Semaphore::new(AT_ONCE)));
    if let Ok(address) = listener.local_addr() {
        info!(%address, "metrics are shown");
    }
    loop {
        let accepted = select! {
            biased;
            // A sender that is gone means the same.
            _ = stopped.wait_for(|stopped| *stopped) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, _)) => {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
                let page = Arc::clone(&page);
                tokio::spawn(async move {
                    let _place = place;
                    // Who goes away or is slow gets nothing; there is nobody to tell.
                    let _ = timeout(DEADLINE, answer(socket, &*page)).await;
                });
            }
            Err(fault) => {
                warn!(%fault, "a scrape could not be accepted");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn answer<F: Future<Output = String>>(mut socket: TcpStream, page: &impl Fn() -> F) -> io::Result<()> {
    let head = head(&mut socket).await?;
    let mut words = head.split(u8::is_ascii_whitespace);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    let (status, body) = match (method, path) {
        (b"GET", b"/metrics") => ("200 OK", page().await),
        (b"GET", _) => ("404 Not Found", "metrics are at /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "GET /metrics\n".to_owned()),
    };
    let media = if status.starts_with("200") {
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    } else {
        "text/plain; charset=utf-8"
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {length}\r\nAllow: GET\r\nConnection: close\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(body.as_bytes()).await?;
    socket.shutdown().await
}

/// Up to the empty line.
async fn head(socket: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > HEAD || socket.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(request: &str) -> String {
        let listener = bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let (_stop, stopped) = watch::channel(false);
        tokio::spawn(serve(listener, async || "a 1\n".to_owned(), stopped));
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn one_page_is_shown_to_get_and_nothing_else_is() {
        let page = ask("GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n").await;
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.ends_with("\r\n\r\na 1\n"), "{page}");
        assert!(ask("GET / HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 404 "));
        assert!(ask("POST /metrics HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 405 "));
        assert_eq!(ask(&"x".repeat(10_000)).await, "", "no head that grows without end");
    }
}
