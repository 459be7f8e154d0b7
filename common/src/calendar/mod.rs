//! One's due tasks as a calendar: an address that is a secret, and what calendar programs read there (docs/adr/0033).

mod feed;
mod link;
mod written;

pub use feed::feed;
pub(crate) use link::end;
pub use link::{CalendarLink, CalendarToken, NewCalendarLink, make, revoke, show};
