//! What a person sees of a dataset, in the forms of Spark's `printSchema` and `show`.

mod datasets;
mod printable;
mod table;
mod tree;

pub use datasets::datasets;
pub use printable::printable;
pub use table::{Truncate, table};
pub use tree::tree;
