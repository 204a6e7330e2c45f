//! Values as people write them.

mod period;
mod size;
mod url;

pub(super) use period::Period;
pub(super) use size::Size;
pub(super) use url::Url;
