//! Reading where it disturbs nobody: parsing takes time, and the runtime's threads answer requests.

use std::io::{BufRead as _, BufReader};

use tokio::{
    sync::mpsc::{Receiver, channel},
    task::spawn_blocking,
};

use super::{fault::ImportFault, given::Line};
use crate::{
    error::Result,
    exchange::spool::{Received, broken},
    input::Faults,
    json,
};

/// How many lines are handed over at once; two such heaps may wait.
const HEAP: usize = 250;

/// The lines of one heap, each with its number.
pub(super) type Heap<T> = Vec<(u32, Result<T, Faults>)>;

/// Takes the next line with its number; whether there is somebody who wants more.
type Giver<'g, T> = &'g mut dyn FnMut(u32, Result<T, Faults>) -> bool;

/// The lines of an export that is known to be whole.
pub(super) fn lines(received: Received) -> Receiver<Result<Heap<Line>>> {
    heaps(received, |received, give| {
        let mut reader = BufReader::with_capacity(64 * 1024, received.file);
        let mut bytes = Vec::new();
        for number in 1.. {
            bytes.clear();
            if reader.read_until(b'\n', &mut bytes).map_err(broken)? == 0 || !give(number, parse(&bytes)) {
                break;
            }
        }
        Ok(())
    })
}

/// Whether a line can be taken, as far as it tells by itself.
pub(in crate::exchange) fn check(bytes: &[u8]) -> Result<(), Faults> {
    parse(bytes).map(drop)
}

fn parse(bytes: &[u8]) -> Result<Line, Faults> {
    json::read(bytes).map_err(|_| Faults::at("", &ImportFault::NotJson)).and_then(Line::of)
}

/// Hands over what `read` gives, until it ends or nobody listens any more.
pub(super) fn heaps<T: Send + 'static>(
    received: Received,
    read: impl FnOnce(Received, Giver<'_, T>) -> Result<()> + Send + 'static,
) -> Receiver<Result<Heap<T>>> {
    let (give_over, heaps) = channel(2);
    spawn_blocking(move || {
        let mut heap = Vec::with_capacity(HEAP);
        let mut give = |number, item| {
            heap.push((number, item));
            heap.len() < HEAP
                || give_over.blocking_send(Ok(std::mem::replace(&mut heap, Vec::with_capacity(HEAP)))).is_ok()
        };
        let ended = read(received, &mut give);
        // Whoever does not listen any more has already been told why.
        let _ = give_over.blocking_send(Ok(heap));
        if let Err(fault) = ended {
            let _ = give_over.blocking_send(Err(fault));
        }
    });
    heaps
}
