//! What goes out of an organization and comes into one as a whole: JSON lines of everything, CSV of tasks
//! (docs/adr/0021).
//!
//! Nothing of it is held in memory, and no client holds a transaction: an export is written to a file without a name before
//! its first byte is sent, an import is there to its last byte before anything is opened for it.

mod desk;
mod export;
#[doc(hidden)]
pub mod fuzz;
mod import;
mod lines;
mod people;
mod seal;
mod spool;
mod table;

pub use desk::{Desk, Seat};
pub use export::export;
pub use import::{ImportOptions, Imported, ImportedProject, Skipped, TableOptions, Yes, import, import_tasks};
pub use lines::{Counts, VERSION};
pub use seal::{Seal, SealFault};
pub use spool::{Arrived, Spool, Table, Whole};
pub use table::{TableFilter, export_tasks};

/// How many rows a statement writes.
const BATCH: usize = 1_000;
