//! The HTTP interface, as clients see it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "in a test a panic is a verdict"
)]

mod accounts;
mod archive;
mod audit;
mod batches;
mod calendar;
mod comments;
mod cors;
mod deletion;
mod deliveries;
mod email_change;
mod errors;
mod export;
mod grants;
mod headers;
mod idempotency;
mod invitations;
mod labels;
mod limits;
mod members;
mod memberships;
mod methods;
mod metrics;
mod notification_settings;
mod offers;
mod openapi;
mod organization_export;
mod organizations;
mod password_reset;
mod people;
mod permissions;
mod pool;
mod preconditions;
mod profile;
mod projects;
mod proxies;
mod quotas;
mod races;
mod rates;
mod reading;
mod repeats;
mod roles;
mod second_factor;
mod server_keys;
mod sessions;
mod snooze;
mod task_changes;
mod task_completion;
mod task_deletion;
mod task_places;
mod task_races;
mod task_reminders;
mod task_tables;
mod tasks;
mod throttling;
mod tokens;
mod trace;
mod trail;
mod transfer;
mod watches;
