//! The API's description of itself.

mod codes;
mod copy;
mod examples;
mod forms;
mod texts;
