//! Signs of life, for `healthcheck worker`: a file whose age is that of the last read of the queue.

use std::{
    fs::File,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

use tracing::warn;

/// A function that touches `file`, if there is one. A file that cannot be written is told once: the health check tells the rest.
pub(crate) fn pulse(file: Option<PathBuf>) -> impl Fn() + Send + Sync + 'static {
    let writable = AtomicBool::new(true);
    move || {
        let Some(file) = &file else { return };
        match File::create(file) {
            Ok(_) => writable.store(true, Ordering::Relaxed),
            Err(fault) => {
                if writable.swap(false, Ordering::Relaxed) {
                    warn!(%fault, file = %file.display(), "the heartbeat cannot be written");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_pulse_makes_the_file_young() {
        let path = std::env::temp_dir().join(format!("pulse-{}", uuid::Uuid::now_v7()));
        let beat = pulse(Some(path.clone()));
        beat();
        File::options().write(true).open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        beat();
        assert!(path.metadata().unwrap().modified().unwrap() > SystemTime::UNIX_EPOCH);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn without_a_file_nothing_happens() {
        pulse(None)();
        pulse(Some("/nowhere/at/all".into()))();
    }
}
