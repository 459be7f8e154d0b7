//! Mails: the one outbox, and its state machine (docs/reminders.md). Everything the product sends goes this way.
//!
//! `claims` and `ends` have the steps of a try, `fold` makes one mail of many, `sweep` repairs what was left behind, `content` says what
//! a mail is about.

mod backlog;
mod claims;
mod comment;
mod content;
mod digest;
mod ends;
mod fold;
mod links;
mod names;
mod notice;
mod reminder;
mod sweep;

use jiff::{SignedDuration, Timestamp, civil::Date};
use jiff_sqlx::ToSqlx;
use utoipa::ToSchema;
use uuid::Uuid;

pub use backlog::{Backlog, backlog};
pub use claims::{Attempt, Claim, Held, Outcome, Phase, claim, claim_all};
pub use comment::CommentContent;
pub use content::{Content, Said, Subject, Unsaid, content, contents};
pub use digest::{DigestContent, DigestTask, ExpiredReminder};
pub use ends::{Ended, finish, finish_all, mark_all_sending, mark_sending, renew};
pub use links::{key_of, renew_links};
pub use names::MailState;
pub use notice::Notice;
pub use reminder::ReminderContent;
pub use sweep::{Swept, sweep};

use crate::{
    access::{Core, Written},
    error::Result,
    ids::{
        AccountId, CommentId, DeliveryId, EmailChangeId, InvitationId, MailId, PasswordResetId, ReminderId, TaskId,
        VerificationId,
    },
    secrets::Purpose,
};

// A new kind is a variant here, a line in `names`, a template folder, and a line in `content`.
/// What a mail is for. New kinds may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type, ToSchema)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(rename_all = "snake_case")]
pub enum MailKind {
    /// A task's reminder.
    Reminder,
    /// An offer of membership.
    Invitation,
    /// Proves the e-mail of a sign-up.
    Verification,
    /// Tells an owner that somebody signed up with their address.
    AlreadyRegistered,
    /// A way in for somebody who has lost their password.
    PasswordReset,
    /// Asks the address that an account has whether it shall have another.
    EmailChangeOld,
    /// Asks the address that an account shall have.
    EmailChangeNew,
    /// Tells of something that has happened.
    Notice,
    /// Tells what somebody has said about a task.
    Comment,
    /// A person's day in an organization.
    Digest,
}

impl MailKind {
    /// The name in the database and in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reminder => "reminder",
            Self::Invitation => "invitation",
            Self::Verification => "verification",
            Self::AlreadyRegistered => "already_registered",
            Self::PasswordReset => "password_reset",
            Self::EmailChangeOld => "email_change_old",
            Self::EmailChangeNew => "email_change_new",
            Self::Notice => "notice",
            Self::Comment => "comment",
            Self::Digest => "digest",
        }
    }

    /// Whether its reader can act on it, and have no more of it, by the links of the mail.
    #[must_use]
    pub fn has_links(self) -> bool {
        matches!(self, Self::Reminder | Self::Comment | Self::Digest)
    }
}

/// Something that somebody is owed from now on: a delivery, and the mail that carries it.
#[derive(Clone, Debug)]
pub(crate) struct Owed {
    pub delivery: DeliveryId,
    pub kind: MailKind,
    pub account: Option<AccountId>,
    pub reminder: Option<ReminderId>,
    pub task: Option<TaskId>,
    pub comment: Option<CommentId>,
    /// The task's, when its reminder was planned: one reminder owes a person one delivery in each.
    pub generation: i32,
    pub invitation: Option<InvitationId>,
    pub verification: Option<VerificationId>,
    pub reset: Option<PasswordResetId>,
    pub email_change: Option<EmailChangeId>,
    pub notice: Option<serde_json::Value>,
    /// The local day that a digest is of.
    pub digest_on: Option<Date>,
    /// None: at once.
    pub due_at: Option<Timestamp>,
    /// The due value that it was counted from.
    pub due_value: Option<String>,
    /// How long it is of use; as long as its kind usually is.
    pub life: Option<SignedDuration>,
}

impl Owed {
    pub(crate) fn to_account(kind: MailKind, account: AccountId) -> Self {
        Self { account: Some(account), ..Self::to_nobody_yet(kind) }
    }

    /// Tells somebody of something that has happened.
    pub(crate) fn notice(account: AccountId, notice: &Notice) -> Self {
        Self { notice: Some(notice.stored()), ..Self::to_account(MailKind::Notice, account) }
    }

    /// To an address that need not have an account.
    pub(crate) fn to_nobody_yet(kind: MailKind) -> Self {
        Self {
            delivery: DeliveryId::new(),
            kind,
            account: None,
            reminder: None,
            task: None,
            comment: None,
            generation: 1,
            invitation: None,
            verification: None,
            reset: None,
            email_change: None,
            notice: None,
            digest_on: None,
            due_at: None,
            due_value: None,
            life: None,
        }
    }
}

/// Writes deliveries and their mails, in the transaction that owes them: nothing after its commit can fail.
pub(crate) async fn owe(core: &mut Core, owed: &[Owed]) -> Result<Written<()>> {
    let ids = |id: fn(&Owed) -> Option<Uuid>| owed.iter().map(id).collect::<Vec<Option<Uuid>>>();
    let link =
        |o: &Owed| o.kind.has_links().then(|| core.db.key().mailed_token(Purpose::Delivery, o.delivery.0).hash());
    let links: Vec<Option<Vec<u8>>> = owed.iter().map(|o| link(o).map(|hash| hash.as_bytes().to_vec())).collect();
    let soon = sqlx::query_scalar!(
        r#"with owed as (
               select *, coalesce(due_at, now()) as at
               from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[],
                           $9::uuid[], $10::uuid[], $11::jsonb[], $12::timestamptz[], $13::int[], $14::uuid[], $15::date[],
                           $16::float8[], $17::bytea[], $18::text[])
                    as o (delivery_id, mail_id, kind, account_id, reminder_id, task_id, invitation_id, verification_id,
                          reset_id, email_change_id, notice, due_at, generation, comment_id, digest_on, life, link_hash, due_value)
           ), mailed as (
               insert into mails (id, org_id, account_id, kind, due_at, next_at, alone, expires_at)
               select mail_id, current_org(), account_id, kind, at, at, life is not null,
                      -- As long as what it says is of use.
                      at + coalesce(life * interval '1 second',
                               case kind when 'invitation' then interval '7 days' when 'notice' then interval '7 days'
                                         when 'password_reset' then interval '1 hour' when 'reminder' then interval '12 hours'
                                         when 'digest' then interval '12 hours' else interval '24 hours' end)
               from owed
           ), delivered as (
               insert into deliveries (id, org_id, account_id, mail_id, kind, reminder_id, task_id, invitation_id, verification_id,
                                       reset_id, email_change_id, notice, due_at, generation, comment_id, digest_on, link_hash,
                                       due_value)
               select delivery_id, current_org(), account_id, mail_id, kind, reminder_id, task_id, invitation_id, verification_id,
                      reset_id, email_change_id, notice, at, generation, comment_id, digest_on, link_hash, due_value from owed
           )
           select coalesce(bool_or(at < now() + interval '2 seconds'), false) as "soon!" from owed"#,
        &owed.iter().map(|o| o.delivery.0).collect::<Vec<_>>(),
        &owed.iter().map(|_| MailId::new().0).collect::<Vec<_>>(),
        &owed.iter().map(|o| o.kind.as_str().to_owned()).collect::<Vec<_>>(),
        &ids(|o| o.account.map(|id| id.0)) as _,
        &ids(|o| o.reminder.map(|id| id.0)) as _,
        &ids(|o| o.task.map(|id| id.0)) as _,
        &ids(|o| o.invitation.map(|id| id.0)) as _,
        &ids(|o| o.verification.map(|id| id.0)) as _,
        &ids(|o| o.reset.map(|id| id.0)) as _,
        &ids(|o| o.email_change.map(|id| id.0)) as _,
        &owed.iter().map(|o| o.notice.clone()).collect::<Vec<_>>() as _,
        owed.iter().map(|o| o.due_at.map(ToSqlx::to_sqlx)).collect::<Vec<_>>() as _,
        &owed.iter().map(|o| o.generation).collect::<Vec<_>>(),
        &ids(|o| o.comment.map(|id| id.0)) as _,
        owed.iter().map(|o| o.digest_on.map(ToSqlx::to_sqlx)).collect::<Vec<_>>() as _,
        owed.iter().map(|o| o.life.map(|life| life.as_secs_f64())).collect::<Vec<_>>() as _,
        &links as _,
        &owed.iter().map(|o| o.due_value.clone()).collect::<Vec<_>>() as _,
    )
    .fetch_one(core.sql())
    .await?;
    core.owes |= soon;
    Ok(Written(()))
}
