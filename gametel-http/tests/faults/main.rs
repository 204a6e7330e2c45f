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

mod conservation;
mod driver;
mod event;
mod judge;
mod judge_tests;
mod leaks;
mod ledger;
mod load;
mod plan;
mod proxy;
mod proxy_tests;
mod scenario;
mod server;
mod spooled;
mod stored;
#[path = "../support/mod.rs"]
mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// One of the large tests at a time: each of them wants the machine for itself.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
