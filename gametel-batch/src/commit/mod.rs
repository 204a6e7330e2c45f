//! How a run becomes visible: staging, and one switch for each dataset.

mod local;
mod parts;

pub(crate) use local::Staging;
pub(crate) use parts::{FinishedParts, NewPart, Part, PartNames, Parts};
