//! Folding: many reminders at once, to one person in one organization, become one mail (docs/adr/0029).
//!
//! It happens at the claim, to what waits at that moment: nothing is sent early, and nothing waits for the sake of it. What is folded
//! is claimed along, each mail under its own fence, and keeps its deliveries until commit 2 moves them (`mark_sending` in
//! `migrations/0072_many_at_once.sql`): until then whoever cancels one finds it where it was, a worker that is lost loses nothing, and
//! a try that fails gives each of them back. A mail over which a worker was lost goes alone: it may be what the worker died of
//! (`tests/worker/folding.rs`). So does one with a life of its own: it is not to be sent for as long as the others are of use.

use std::collections::HashMap;

use super::{Claim, claims::Held};
use crate::ids::MailId;

/// So many reminders to one person, at once or within five minutes, are still mails of their own.
pub(super) const FEW: i64 = 5;
/// What one mail tells of at most; the rest is the next one's.
pub(super) const MOST: i64 = 100;

/// What was claimed, each with the mail that it goes out with: one claim for each mail that goes out.
pub(super) fn gather(claimed: impl Iterator<Item = (MailId, Claim)>) -> HashMap<MailId, Claim> {
    let (leads, folded): (Vec<_>, Vec<_>) = claimed.partition(|(lead, claim)| *lead == claim.id);
    let mut claims: HashMap<MailId, Claim> = leads.into_iter().collect();
    for (lead, claim) in folded {
        if let Some(lead) = claims.get_mut(&lead) {
            lead.folded.push(Held { id: claim.id, fence: claim.fence });
        }
    }
    claims
}
