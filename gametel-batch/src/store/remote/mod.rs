//! What stores on other machines share: threads for their calls, the writing of a file piece by
//! piece, and locks that end by themselves. It knows neither HDFS nor S3.

mod calls;
mod lease;
mod upload;

use gametel_core::event::{EventId, Timestamp};

pub(super) use calls::{Calls, within};
pub(super) use lease::{Beat, Lease, Term, refused};
pub(super) use upload::{Upload, UploadFile};

/// A name that nothing else has, in no other run either.
pub(super) fn unique() -> String {
    EventId::new(Timestamp::now()).to_string()
}
