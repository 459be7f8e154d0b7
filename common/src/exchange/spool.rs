//! A file without a name: whatever happens to the process, nothing of it stays.

use std::{
    collections::BTreeSet,
    fs::File as Blocking,
    future::Future,
    io::{BufRead as _, BufReader, Seek as _, SeekFrom},
    path::Path,
    pin::Pin,
    task::{Context, Poll},
};

use sha2::{Digest as _, Sha256};
use tokio::{
    fs::File,
    io::{self, AsyncRead, AsyncSeek, AsyncSeekExt as _, AsyncWriteExt as _, BufWriter, ReadBuf},
    sync::OwnedSemaphorePermit,
    task::spawn_blocking,
};

use super::{
    Seal, SealFault,
    import::Complaints,
    table::{self, Person},
};
use crate::{
    error::{Error, Result},
    input::Faults,
};

/// How much is written at once.
const BUFFER: usize = 64 * 1024;

/// Bytes on their way in or out.
#[derive(Debug)]
pub struct Spool {
    file: BufWriter<File>,
    length: u64,
    digest: Sha256,
    place: OwnedSemaphorePermit,
}

/// What has come in, and was found to be of a kind.
pub trait Arrived: Sized + Send + 'static {
    /// The media type that the client must name.
    const MEDIA: (&'static str, &'static str);

    /// Looks it over, before any connection is asked for.
    fn open(spool: Spool) -> impl Future<Output = Result<Self>> + Send;
}

/// An export that is whole: not a byte is missing or altered.
#[derive(Debug)]
pub struct Whole(pub(super) Received);

/// A table of tasks, each row of it well-formed by itself; and whom it names.
#[derive(Debug)]
pub struct Table {
    pub(super) received: Received,
    pub(super) people: BTreeSet<Person>,
}

/// A file at its beginning.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) file: Blocking,
    /// Given back when the file is done with.
    #[expect(dead_code, reason = "held, not looked at")]
    place: Option<OwnedSemaphorePermit>,
}

/// A fault of the machine's.
pub(super) fn broken(fault: io::Error) -> Error {
    Error::Internal(Box::new(fault))
}

impl Spool {
    pub(super) fn new(directory: &Path, place: OwnedSemaphorePermit) -> Result<Self> {
        let file = tempfile::tempfile_in(directory).map_err(broken)?;
        Ok(Self {
            file: BufWriter::with_capacity(BUFFER, File::from_std(file)),
            length: 0,
            digest: Sha256::new(),
            place,
        })
    }

    /// Appends.
    ///
    /// # Errors
    /// The disk's.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.length += bytes.len() as u64;
        self.digest.update(bytes);
        self.file.write_all(bytes).await.map_err(broken)
    }

    /// How many bytes there are.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// What the bytes add up to.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest.clone().finalize().into()
    }

    /// Nothing more comes: from now on it is read, from its beginning.
    pub(super) async fn rewind(&mut self) -> Result<()> {
        self.file.flush().await.map_err(broken)?;
        self.file.get_mut().rewind().await.map(drop).map_err(broken)
    }

    async fn received(mut self) -> Result<Received> {
        self.rewind().await?;
        let file = self.file.into_inner().into_std().await;
        Ok(Received { file, place: Some(self.place) })
    }
}

impl Arrived for Whole {
    const MEDIA: (&'static str, &'static str) = ("application", "x-ndjson");

    async fn open(spool: Spool) -> Result<Self> {
        let received = spool.received().await?;
        let (received, ()) = examine(received, seal).await?;
        Ok(Self(received))
    }
}

impl Arrived for Table {
    const MEDIA: (&'static str, &'static str) = ("text", "csv");

    async fn open(spool: Spool) -> Result<Self> {
        let received = spool.received().await?;
        let (received, people) = examine(received, well_formed).await?;
        Ok(Self { received, people })
    }
}

/// Reads the whole file where it disturbs nobody, and goes back to its beginning.
async fn examine<T: Send + 'static>(
    mut received: Received,
    look: fn(&mut Received) -> Result<T>,
) -> Result<(Received, T)> {
    let looked = spawn_blocking(move || {
        let found = look(&mut received)?;
        received.file.seek(SeekFrom::Start(0)).map_err(broken)?;
        Ok((received, found))
    });
    looked.await.map_err(|fault| Error::Internal(Box::new(fault)))?
}

fn seal(received: &mut Received) -> Result<()> {
    let mut reader = BufReader::with_capacity(BUFFER, &received.file);
    let mut seal = Seal::default();
    loop {
        let bytes = reader.fill_buf().map_err(broken)?;
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        seal.take(bytes).map_err(refused)?;
        reader.consume(length);
    }
    seal.finish().map(drop).map_err(refused)
}

/// All faults of all rows, before anything is opened for them.
fn well_formed(received: &mut Received) -> Result<BTreeSet<Person>> {
    let (mut complaints, mut people) = (Complaints::default(), BTreeSet::new());
    table::rows(received, &mut |line, row| {
        match row {
            Ok(row) => people.extend(row.assignees),
            Err(Faults(faults)) => faults.into_iter().for_each(|fault| complaints.push(line, fault)),
        }
        !complaints.are_enough()
    })?;
    if complaints.are_none() { Ok(people) } else { Err(Error::Invalid(Faults(complaints.0))) }
}

fn refused((line, fault): (u64, SealFault)) -> Error {
    Error::Invalid(Faults::at(&format!("/lines/{line}"), &fault))
}

impl Received {
    /// A file that no client has sent.
    pub(super) fn of(file: Blocking) -> Self {
        Self { file, place: None }
    }
}

impl AsyncRead for Spool {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut().file.get_mut()).poll_read(context, buffer)
    }
}

impl AsyncSeek for Spool {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        Pin::new(self.get_mut().file.get_mut()).start_seek(position)
    }

    fn poll_complete(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(self.get_mut().file.get_mut()).poll_complete(context)
    }
}
