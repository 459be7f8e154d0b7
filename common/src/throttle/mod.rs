//! Guessing is slowed down, and nobody is locked out: who fails waits, a little longer each time.

pub mod rule;
