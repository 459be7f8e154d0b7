//! Rows that wait until there are enough of them for a statement.

use super::{
    Imported,
    plan::{self, ReminderRow},
    write::{self, CommentRow, LabelRow, TaskRow},
};
use crate::{access::Core, error::Result, exchange::BATCH};

/// What is read and not written yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) labels: Vec<LabelRow>,
    pub(super) tasks: Vec<TaskRow>,
    pub(super) reminders: Vec<ReminderRow>,
    pub(super) comments: Vec<CommentRow>,
}

impl Pending {
    pub(super) fn is_full(&self) -> bool {
        let lengths = [self.labels.len(), self.tasks.len(), self.reminders.len(), self.comments.len()];
        lengths.into_iter().any(|length| length >= BATCH)
    }

    /// Writes everything, what others hang on first.
    pub(super) async fn write(&mut self, core: &mut Core, origin: &str, imported: &mut Imported) -> Result<()> {
        write::labels(core, &self.labels).await?;
        write::tasks(core, &self.tasks, origin).await?;
        let skipped = plan::reminders(core, &self.reminders).await?;
        write::comments(core, &self.comments).await?;
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        imported.labels += count(self.labels.len());
        imported.tasks += count(self.tasks.len());
        imported.reminders += count(self.reminders.len());
        imported.comments += count(self.comments.len());
        for skipped in skipped {
            imported.skip(skipped);
        }
        *self = Self::default();
        Ok(())
    }
}
