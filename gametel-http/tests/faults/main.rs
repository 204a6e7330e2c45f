//! What was acked is kept, through whatever happens to the server, the broker and what is between
//! them; overload is refused; and no secret comes to light.
//!
//! `cargo test -p gametel-http --test faults` runs a short round. A long one goes on for so many
//! minutes a scenario, with a new seed each time unless it is told which:
//!
//! ```sh
//! GAMETEL_FAULTS_MINUTES=30 cargo test -p gametel-http --test faults -- --nocapture
//! ```

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

mod answer;
mod conservation;
mod dead_letters;
mod driver;
mod event;
mod judge;
mod judge_tests;
mod keyed;
mod leaks;
mod ledger;
mod load;
mod plan;
mod proxy;
mod proxy_tests;
mod quiet;
mod scenario;
mod server;
mod spooled;
mod stored;
#[path = "../support/mod.rs"]
mod support;

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A test that measures has the machine for itself; those that wait for most of their time may run
/// side by side.
static MACHINE: RwLock<()> = RwLock::new(());

fn alone() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(PoisonError::into_inner)
}

fn beside() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}
