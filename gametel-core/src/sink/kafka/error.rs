use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::sink::{SinkError, SinkErrorKind};

/// What can be done about an error of the client library.
pub(super) fn kind(error: &KafkaError) -> SinkErrorKind {
    let Some(code) = error.rdkafka_error_code() else {
        return match error {
            KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_) => SinkErrorKind::Config,
            _ => SinkErrorKind::Unavailable,
        };
    };
    match code {
        Code::QueueFull => SinkErrorKind::Backpressure,
        Code::MessageSizeTooLarge | Code::InvalidMessageSize | Code::MessageBatchTooLarge => {
            SinkErrorKind::TooLarge
        }
        Code::InvalidMessage
        | Code::InvalidTimestamp
        | Code::InvalidRecord
        | Code::PolicyViolation => SinkErrorKind::Rejected,
        Code::PurgeQueue | Code::PurgeInflight => SinkErrorKind::Closed,
        Code::UnknownTopic
        | Code::UnknownTopicOrPartition
        | Code::UnknownPartition
        | Code::InvalidTopic
        | Code::TopicAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::Authentication
        | Code::SaslAuthenticationFailed
        | Code::Fatal => SinkErrorKind::Config,
        // Time-outs, lost connections, elections, too few replicas: the cluster's state, which
        // changes.
        _ => SinkErrorKind::Unavailable,
    }
}

/// An error of the whole sink.
pub(super) fn sink_error(message: String, error: KafkaError) -> SinkError {
    SinkError::new(kind(&error), "kafka", message).with_source(error)
}
