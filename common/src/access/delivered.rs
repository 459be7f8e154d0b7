//! Who acts by the link of a mail.

use super::{Implies, Member, Permission, ReadTasks};

/// The recipient of a mail, by its link: in the organization of its delivery, with what they hold there now, and of that no more than to
/// read tasks and to complete them (`begin_mail`, `migrations/0069_mail_links.sql`). As everywhere, what they may in a project is decided
/// there ([`super::InProject`]).
#[derive(Clone, Copy, Debug)]
pub enum Delivered {}

impl Permission for Delivered {
    const BITS: i64 = ReadTasks::BITS;
    const NAME: &'static str = ReadTasks::NAME;
}

impl Implies<ReadTasks> for Delivered {}
impl Implies<Member> for Delivered {}
