//! How a run becomes visible: staging, and one switch for each dataset.

mod local;

pub(crate) use local::Staging;
