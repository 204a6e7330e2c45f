//! The commands that look into a spool's file and empty it.

mod args;
mod drain;
mod show;
mod status;

pub(crate) use args::SpoolCommand;
