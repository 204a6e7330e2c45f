//! What all test programs share. Each of them uses a part of it.

#![allow(dead_code, unused_imports, reason = "one program's use is not another's")]

mod client;
#[cfg(feature = "cli")]
mod process;

pub(crate) use client::{Client, Reply};
#[cfg(feature = "cli")]
pub(crate) use process::Process;
