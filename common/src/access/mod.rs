//! Who may do what. The whole policy: [`roles`] says which role holds which permission, [`rules`] who may act on whom,
//! and the witnesses here make the rest the compiler's business.
//!
//! * [`Scope`] owns the transaction of one request in one organization. Only the openers of [`crate::db::Db`] mint it.
//! * [`InProject`] admits to the content of one project.
//! * [`Written`] becomes [`Committed`], which alone can be answered with, through [`Scope::commit`].
//!
//! What must not compile does not. Each example has a twin that does:
//!
//! ```
//! # use common::{access::{ReadAudit, Scope}, audit};
//! async fn events(scope: &mut Scope<ReadAudit>) {
//!     let _ = audit::list(scope, audit::AuditFilter::default()).await;
//! }
//! ```
//! ```compile_fail,E0277
//! // Under-guarded: the caller holds another permission than the one that is asked for.
//! # use common::{access::{CreateProjects, Scope}, audit};
//! async fn events(scope: &mut Scope<CreateProjects>) {
//!     let _ = audit::list(scope, audit::AuditFilter::default()).await;
//! }
//! ```
//! ```
//! # use common::{access::{ReadTasks, Scope, WriteTasks}, tasks::{self, TaskRef}};
//! async fn read(scope: &mut Scope<WriteTasks>, task: &TaskRef) {
//!     let _ = tasks::find::<ReadTasks>(scope, task).await;
//! }
//! ```
//! ```compile_fail,E0308
//! // Unguarded: a connection is no witness.
//! # use common::{access::ReadTasks, tasks::{self, TaskRef}};
//! async fn read(connection: &mut sqlx::PgConnection, task: &TaskRef) {
//!     let _ = tasks::find::<ReadTasks>(connection, task).await;
//! }
//! ```
//! ```
//! # use common::{access::{InProject, WriteTasks}, tasks};
//! async fn create(project: &mut InProject<'_, WriteTasks>, new: tasks::NewTask) {
//!     let _ = tasks::create(project, new).await;
//! }
//! ```
//! ```compile_fail,E0277
//! // To see a project is not to work in it.
//! # use common::{access::{InProject, ReadTasks}, tasks};
//! async fn create(project: &mut InProject<'_, ReadTasks>, new: tasks::NewTask) {
//!     let _ = tasks::create(project, new).await;
//! }
//! ```
//! ```
//! # use common::{access::{Committed, CreateProjects, Scope}, projects};
//! async fn create(mut scope: Scope<CreateProjects>, new: projects::NewProject) -> common::Result<Committed<projects::Project>> {
//!     let project = projects::create(&mut scope, new).await?;
//!     scope.commit(project).await
//! }
//! ```
//! ```compile_fail,E0308
//! // Uncommitted: a write is no answer.
//! # use common::{access::{Committed, CreateProjects, Scope}, projects};
//! async fn create(mut scope: Scope<CreateProjects>, new: projects::NewProject) -> common::Result<Committed<projects::Project>> {
//!     projects::create(&mut scope, new).await
//! }
//! ```
//! ```
//! # use common::access::{ListMembers, Scope};
//! fn pass_on(scope: Scope<ListMembers>) -> Scope<ListMembers> {
//!     scope
//! }
//! ```
//! ```compile_fail,E0451
//! // Forged: the fields are private.
//! # use common::access::{ListMembers, Scope};
//! fn forge(scope: Scope<ListMembers>) -> Scope<ListMembers> {
//!     Scope { ..scope }
//! }
//! ```

mod committed;
mod delivered;
mod permissions;
mod personal;
mod project;
mod roles;
mod rules;
mod scope;
mod sets;

pub use committed::{Committed, Written};
pub use delivered::Delivered;
pub use permissions::*;
pub use personal::{CalendarReader, Me, MyTasks, Personal, ReadMe};
pub(crate) use project::Held;
pub use project::InProject;
pub use roles::{GrantRole, Role};
pub use rules::{RoleChange, may_act_on, may_change_role, may_give};
pub(crate) use scope::Core;
pub use scope::{Invited, Link, Mailbox, OrgRef, Refused, Scope, SignUp, System};
pub use sets::{PermissionFault, Permissions, RolePermissions, Scopes};
