//! What can stand in the audit log.

use deserr::Deserr;
use serde::Serialize;

use crate::input::Faults;

/// Declares the actions with the names by which clients know them.
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        /// Something that was done. The names never change; new ones may come.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserr)]
        #[deserr(error = Faults)]
        pub enum Action {
            $($(#[$doc])* #[serde(rename = $text)] #[deserr(rename = $text)] $name,)+
        }

        crate::schema::one_of!(Action, "Something that was done. The names never change; new ones may come.", [$($text),+]);

        impl Action {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name in JSON and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

actions! {
    /// Somebody signed in.
    SessionCreated = "session.created";
    /// Somebody tried to, with a wrong password or code.
    SessionRefused = "session.refused";
    /// A session was ended.
    SessionEnded = "session.ended";
    /// An e-mail was verified for the first time.
    AccountCreated = "account.created";
    /// Name, zone or locale changed.
    AccountUpdated = "account.updated";
    /// The password was changed by somebody who knew it.
    PasswordChanged = "password.changed";
    /// The password was set by a mailed link.
    PasswordReset = "password.reset";
    /// Both addresses have confirmed.
    EmailChanged = "email.changed";
    /// The account is to be deleted.
    AccountDeletionRequested = "account.deletion_requested";
    /// It is not.
    AccountDeletionCancelled = "account.deletion_cancelled";
    /// It was.
    AccountDeleted = "account.deleted";
    /// Its data was downloaded.
    AccountExported = "account.exported";
    /// A second factor counts from now on.
    SecondFactorEnabled = "second_factor.enabled";
    /// None does any more.
    SecondFactorDisabled = "second_factor.disabled";
    /// New recovery codes; the old ones are void.
    RecoveryCodesRenewed = "second_factor.renewed";
    /// A recovery code stood for the second factor.
    RecoveryCodeUsed = "second_factor.recovery_used";
    /// A personal token was made.
    TokenCreated = "token.created";
    /// A personal token was revoked.
    TokenRevoked = "token.revoked";
    /// One's calendar has an address, a new one.
    CalendarLinked = "calendar.linked";
    /// It has none any more.
    CalendarUnlinked = "calendar.unlinked";
    /// A member was denied something.
    AccessDenied = "access.denied";
    /// Too many tries; somebody must wait.
    Throttled = "throttled";
    /// An organization was founded.
    OrganizationCreated = "organization.created";
    /// Its settings changed.
    OrganizationUpdated = "organization.updated";
    /// It is to be deleted.
    OrganizationDeleted = "organization.deleted";
    /// It is not.
    OrganizationRestored = "organization.restored";
    /// It has another owner.
    OrganizationTransferred = "organization.transferred";
    /// It was downloaded as a whole.
    OrganizationExported = "organization.exported";
    /// Projects came in from an export.
    OrganizationImported = "organization.imported";
    /// Somebody was invited.
    InvitationCreated = "invitation.created";
    /// The mail was sent again, with another token.
    InvitationResent = "invitation.resent";
    /// The offer was taken back.
    InvitationRevoked = "invitation.revoked";
    /// Somebody joined.
    InvitationAccepted = "invitation.accepted";
    /// Somebody did not want to.
    InvitationDeclined = "invitation.declined";
    /// A member has another role.
    MemberRoleChanged = "member.role_changed";
    /// A member may not come in for now.
    MemberSuspended = "member.suspended";
    /// A member may again.
    MemberReinstated = "member.reinstated";
    /// A member is none any more.
    MemberRemoved = "member.removed";
    /// A member has gone.
    MemberLeft = "member.left";
    /// A custom role was made.
    RoleCreated = "role.created";
    /// It gives something else now.
    RoleUpdated = "role.updated";
    /// It is gone.
    RoleDeleted = "role.deleted";
    /// A project was made.
    ProjectCreated = "project.created";
    /// Its name, key, colour, visibility or description changed.
    ProjectUpdated = "project.updated";
    /// Tasks came in from a table.
    TasksImported = "tasks.imported";
    /// Tasks went out as a table.
    TasksExported = "tasks.exported";
    /// It is closed: what is in it can be read and no longer changed.
    ProjectArchived = "project.archived";
    /// It is open again.
    ProjectUnarchived = "project.unarchived";
    /// It is gone, with all that was in it.
    ProjectDeleted = "project.deleted";
    /// Somebody's words were taken away by somebody else.
    CommentDeleted = "comment.deleted";
    /// Somebody has a role in a project.
    GrantSet = "grant.set";
    /// Somebody has none any more.
    GrantRemoved = "grant.removed";
    /// An operator holds mail back.
    DeliveryHeld = "delivery.held";
    /// An operator lets it go.
    DeliveryReleased = "delivery.released";
    /// An operator has it sent again.
    DeliveryRetried = "delivery.retried";
    /// An owner took access to a private project.
    ProjectGlassBroken = "project.glass_broken";
    /// The last manager went; the owners run the project.
    ProjectInherited = "project.inherited";
}
