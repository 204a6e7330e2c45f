//! The settings of the binary: the file as it is typed, the variables and the options, and what
//! they come to together. An option goes before a variable, a variable before the file, the file
//! before the default.

mod configuration;
mod fault;
mod file;
mod layer;
mod options;
mod prepare;
mod problems;
mod resolve;
mod sample;
mod section;
mod show;
mod value;

pub(crate) use options::Overrides;
pub(crate) use prepare::Prepared;
pub(crate) use problems::Problems;
pub(crate) use resolve::Settings;
pub(crate) use sample::SAMPLE;
pub(crate) use section::LogFormat;
#[cfg(feature = "log")]
pub(crate) use value::Period;
