//! Tasks: what is to be done, by whom, until when.
//!
//! `find` and `lock` load one with what the caller may do with it, `store` writes one with its history; the deeds are `create`,
//! `update`, `place` (project, position, parent), `completion` and `end` (delete, restore); `batch` does many of them.

mod batch;
mod changes;
mod completion;
mod create;
mod described;
mod end;
mod find;
mod history;
mod input;
mod labels;
mod list;
mod lock;
mod mine;
mod place;
mod store;
mod task;
mod update;
mod view;

pub use batch::{Batch, Deed, Done, Mode, Operation, Version, batch};
pub use changes::{ChangesSince, TaskChange, changes};
pub use completion::{complete, reopen};
pub use create::create;
pub use end::{delete, restore};
pub(crate) use find::gone;
pub use find::{TaskRef, find, find_deleted, show};
pub use history::{HistoryPage, TaskEvent, history};
pub use input::{LabelRef, NewTask, Priority, Stage, TaskChanges, TaskFault};
pub use list::{Assignee, Author, Include, LabelNamed, Parent, PriorityIs, ProjectName, Sort, TaskList, list};
pub(crate) use lock::lock_live;
pub use mine::{MyTaskList, mine};
pub use place::{Position, position};
use task::TaskRow;
pub use task::{PlannedTask, Task, TaskLabel, TaskStatus};
pub use update::update;
pub use view::{
    Expand, Expanded, OrganizationBrief, PersonBrief, ProjectBrief, TaskBrief, TaskField, TaskShape, TaskView,
};
