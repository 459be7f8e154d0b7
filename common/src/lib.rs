//! The domain of Taskbell. Knows Postgres and the wake-up queue in Redis; knows neither HTTP nor SMTP.
//!
//! Every function that touches a tenant's table demands a witness from [`access`]; every write answers with
//! [`access::Committed`] or not at all.

pub mod access;
pub mod accounts;
pub mod audit;
pub mod calendar;
pub mod comments;
pub mod config;
pub mod db;
pub mod deliveries;
pub mod dispatch;
pub mod error;
pub mod exchange;
pub mod idempotency;
pub mod ids;
pub mod input;
pub mod invitations;
pub mod json;
pub mod labels;
pub mod links;
pub mod mails;
pub mod memberships;
#[cfg(test)]
mod noise;
pub mod notifications;
pub mod offers;
pub mod operators;
pub mod organizations;
pub mod origins;
pub mod page;
pub mod parameters;
pub mod passwords;
pub mod permissions;
pub mod precondition;
pub mod projects;
pub mod proxies;
pub mod purge;
pub mod quotas;
pub mod rates;
pub mod reminders;
pub mod roles;
mod schema;
pub mod second_factor;
pub mod secrets;
pub mod sessions;
pub mod shown;
pub mod tasks;
pub mod text;
pub mod throttle;
pub mod time;
pub mod timetable;
pub mod tokens;
pub mod wakeups;
pub mod watches;

pub use error::{Error, Result};
