//! The header rule: which request headers an event keeps, and under which names.

mod rule;
mod secret;

pub use rule::{EventHeader, HeaderRule, HeaderRuleError, KeptHeaders};
