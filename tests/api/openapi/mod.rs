//! The API's description of itself.

mod codes;
mod copy;
mod examples;
mod texts;
