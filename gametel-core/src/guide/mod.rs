//! The guide: what to do, in the order in which a game server needs it. Every block of code on these
//! pages is compiled and run by the tests.
//!
//! 1. [Events](events): what happened, as a Rust type.
//! 2. [Recording](recording): from a game loop, without ever waiting.
//! 3. [Sinks](sinks): where events go, how sure it is, and how sinks are put together.
//! 4. [Catalogs](catalogs): one definition for the server, the tables and the documentation.
//! 5. [Filters](filters): picking events by type and field.
#![cfg_attr(
    feature = "testing",
    doc = "6. [Testing](testing): time that stands still, sinks that fail when told."
)]
#![cfg_attr(
    not(feature = "testing"),
    doc = "6. Testing (feature `testing`): time that stands still, sinks that fail when told."
)]
//! 7. [Failures](failures): what happens when something goes wrong, and what is kept.

#[doc = include_str!("catalogs.md")]
pub mod catalogs {}
#[doc = include_str!("events.md")]
pub mod events {}
#[doc = include_str!("failures.md")]
pub mod failures {}
#[doc = include_str!("filters.md")]
pub mod filters {}
#[doc = include_str!("recording.md")]
pub mod recording {}
#[doc = include_str!("sinks.md")]
pub mod sinks {}
#[cfg(feature = "testing")]
#[doc = include_str!("testing.md")]
pub mod testing {}
