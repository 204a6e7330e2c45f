//! Values as people write them.

#[cfg(any(test, not(all(feature = "log", feature = "tls"))))]
mod left_out;
mod period;
mod size;
mod text;
mod url;

#[cfg(not(all(feature = "log", feature = "tls")))]
pub(super) use left_out::LeftOut;
pub(crate) use period::Period;
pub(super) use size::Size;
pub(super) use text::Text;
pub(super) use url::Url;
