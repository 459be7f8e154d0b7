//! The conversation, against a mail server inside the test.

mod conversation;
mod script;
mod tls;
