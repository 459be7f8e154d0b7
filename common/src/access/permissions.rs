//! Permissions as types: the signature of a handler or of a domain function names what its caller must hold.

/// One permission, as a type. Its bit is the one that `begin_request` checks in Postgres.
pub trait Permission: Send + Sync + 'static {
    /// The bits that must all be held; none for [`Member`].
    const BITS: i64;
    /// The name that clients see: in a 403, in a token's scopes.
    const NAME: &'static str;
    /// Whether it lets somebody write the content of a project: while that is archived, nobody does.
    const WRITES: bool = false;
}

/// Whoever holds `Self` may do what asks for `P`. Derived from the policy: each role and grant with the one has the other.
pub trait Implies<P: Permission>: Permission {}
impl<P: Permission> Implies<P> for P {}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $bit:expr, $text:literal $(, $writes:ident)?;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub enum $name {}

            impl Permission for $name {
                const BITS: i64 = 1 << $bit;
                const NAME: &'static str = $text;
                $(const WRITES: bool = permissions!(@$writes);)?
            }

            impl Implies<Member> for $name {}
        )+

        /// Every permission with its bit, lowest first.
        pub const ALL: &[(i64, &str)] = &[$(($name::BITS, $name::NAME)),+];
    };
    (@writes) => { true };
}

permissions! {
    /// Delete or hand over the organization, make owners.
    OwnOrganization = 0, "organization:own";
    /// Change the organization's settings.
    UpdateOrganization = 1, "organization:update";
    /// See who belongs to the organization.
    ListMembers = 2, "members:list";
    /// Invite, suspend, remove, set roles.
    ManageMembers = 3, "members:manage";
    /// Manage custom roles.
    ManageRoles = 4, "roles:manage";
    /// Read the audit log, export the organization.
    ReadAudit = 5, "audit:read";
    /// Read everybody's deliveries; one's own need nothing.
    ReadDeliveries = 6, "deliveries:read";
    /// Create projects.
    CreateProjects = 7, "projects:create";
    /// Update, archive, delete a project, grant roles in it.
    ManageProject = 8, "projects:manage";
    /// See a project, its tasks and their reminders.
    ReadTasks = 9, "tasks:read";
    /// Create, update, assign, delete tasks.
    WriteTasks = 10, "tasks:write", writes;
    /// Complete and reopen tasks; assignees may, whatever their role.
    CompleteTasks = 11, "tasks:complete", writes;
    /// Comment on tasks.
    WriteComments = 12, "comments:write", writes;
}

/// An active member, nothing more.
#[derive(Clone, Copy, Debug)]
pub enum Member {}

impl Permission for Member {
    const BITS: i64 = 0;
    const NAME: &'static str = "member";
}

macro_rules! implications {
    ($($name:ident => $($weaker:ident),+;)+) => {
        $($(impl Implies<$weaker> for $name {})+)+

        /// The same for sets: a bit, and those that come with it.
        pub(super) const IMPLIED: &[(i64, i64)] = &[$(($name::BITS, $($weaker::BITS)|+)),+];
    };
}

implications! {
    WriteTasks => ReadTasks, CompleteTasks;
    CompleteTasks => ReadTasks;
    WriteComments => ReadTasks;
    ManageProject => ReadTasks;
    ManageMembers => ListMembers;
}

/// Reading one's own account: no permission in an organization, but a scope that a personal token may have.
pub const READ_ME: (i64, &str) = (1 << 13, "me:read");
