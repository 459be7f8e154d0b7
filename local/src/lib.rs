//! A private Postgres, Redis and mail catcher, for `cargo run`, the tour, the tests and the benchmark.
//!
//! The aim is that a fresh machine with Rust and nothing else can run the whole of Taskbell: what is
//! not installed is fetched without installing it, everything listens on 127.0.0.1 only, keeps its
//! data in one directory, and dies with the process that started it. Nothing here is meant for
//! production, and nothing here touches a server that it did not start.

mod binaries;
mod data;
mod debian;
mod error;
mod files;
pub mod inbox;
mod password;
mod ports;
mod postgres;
pub mod process;
mod progress;
mod redis;
mod services;
mod user;
mod version;

pub use binaries::Binaries;
pub use data::DataDir;
pub use error::{Error, Result};
pub use inbox::{Inbox, Message};
pub use ports::free_port;
pub use postgres::{Postgres, PostgresOptions};
pub use process::{Child, Output, Program, Signal};
pub use progress::{Progress, Step};
pub use redis::Redis;
pub use services::{Options, Service, Services};
pub use user::User;
