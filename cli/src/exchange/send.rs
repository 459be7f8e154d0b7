//! A file on its way up, and the wait for what becomes of it.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures::stream;
use reqwest::{Body, RequestBuilder, Response, header::CONTENT_LENGTH};
use tokio::{fs::File, io::AsyncReadExt as _};

use super::progress::Progress;
use crate::Failure;

/// Sends it piece by piece; while the server works, says for how long.
pub(super) async fn file(request: RequestBuilder, path: &Path) -> Result<Response, Failure> {
    let named = |fault: std::io::Error| format!("{}: {fault}", path.display());
    let file = File::open(path).await.map_err(named)?;
    let length = file.metadata().await.map_err(named)?.len();
    let progress = Arc::new(Mutex::new(Progress::of("sent", Some(length))));
    let sent = Arc::clone(&progress);
    let pieces = stream::try_unfold((file, sent), |(mut file, sent)| async move {
        let mut bytes = vec![0; 64 * 1024];
        let length = file.read(&mut bytes).await?;
        if length == 0 {
            return Ok::<_, std::io::Error>(None);
        }
        bytes.truncate(length);
        if let Ok(mut progress) = sent.lock() {
            progress.add(length);
        }
        Ok(Some((bytes, (file, sent))))
    });
    let answer = request.header(CONTENT_LENGTH, length).body(Body::wrap_stream(pieces)).send();
    let mut answer = std::pin::pin!(answer);
    let (begun, mut clock) = (Instant::now(), tokio::time::interval(Duration::from_secs(1)));
    loop {
        tokio::select! {
            answer = &mut answer => {
                if let Ok(progress) = progress.lock() {
                    progress.end();
                }
                return Ok(answer?);
            }
            _ = clock.tick() => if let Ok(progress) = progress.lock()
                && progress.is_done()
            {
                progress.say(&format!("sent; the server takes it in, {} s", begun.elapsed().as_secs()));
            },
        }
    }
}
