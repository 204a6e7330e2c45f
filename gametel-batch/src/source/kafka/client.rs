use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::metadata::Metadata;
use rdkafka::types::RDKafkaErrorCode;

use crate::error::BatchError;
use crate::source::KafkaSettings;
use crate::write::ReadAhead;

pub(super) type Consumer = BaseConsumer<Context>;

/// How long the cluster may take to answer while a source is being opened.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long one question waits for its answer, before it is looked at what the client says meanwhile.
const ASK_TIMEOUT: Duration = Duration::from_secs(1);

/// How long to wait before a question is asked again that was not answered for a passing reason.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// What the client may keep for each record that it has fetched, beside the record's own bytes. Of
/// small records it is more than these.
const RECORD_OVERHEAD: usize = 512;

/// Makes the consumer: of its settings, those that the source depends on can't be among `settings`.
pub(super) fn consumer(
    brokers: &str,
    settings: &KafkaSettings,
    ahead: ReadAhead,
) -> Result<Consumer, BatchError> {
    // A third for what waits, a third for what the client keeps beside each record, and the rest for
    // the answer that is being unpacked: it comes compressed, and is taken whole.
    let queued = ahead.fetched / 3;
    let fetch = queued.min(1024 * 1024);
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("client.id", "gametel-batch")
        // Never joined, never committed to: the client asks for a name.
        .set("group.id", "gametel-batch")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        // Records that retention removes while we read are a failure to tell, not a gap to skip.
        .set("auto.offset.reset", "error")
        // The broker waits this long before it says that there is nothing new. All that we read is
        // there already, but for the last answer of each partition.
        .set("fetch.wait.max.ms", "10")
        // Bounds the memory of what is fetched ahead.
        .set("queued.max.messages.kbytes", (queued / 1024).to_string())
        .set("queued.min.messages", (queued / RECORD_OVERHEAD).to_string())
        // How long the client rests once that much is ahead. Its default of a second leaves us idle
        // for three quarters of a large topic.
        .set("fetch.queue.backoff.ms", "5")
        .set("fetch.message.max.bytes", fetch.to_string())
        .set("fetch.max.bytes", fetch.to_string());
    for (name, value) in settings.iter() {
        config.set(name, value);
    }
    config.create_with_context(Context::default()).map_err(|error| match error {
        KafkaError::ClientConfig(_, why, name, _) => {
            let message = format!("the Kafka setting {name} is not valid");
            match is_secret(&name) {
                // Why it is not valid may have the value in it.
                true => BatchError::config(message),
                false => BatchError::config(message).with_source(why),
            }
        }
        error => BatchError::config("the Kafka client can't be made").with_source(error),
    })
}

/// Whether the value of a setting is nobody's business.
fn is_secret(name: &str) -> bool {
    ["password", "passphrase", "secret", "pem", "token", "oauthbearer.config"]
        .iter()
        .any(|word| name.contains(word))
}

/// Asks the brokers what they know of a topic.
pub(super) fn metadata(
    consumer: &Consumer,
    brokers: &str,
    topic: &str,
) -> Result<Metadata, BatchError> {
    let deadline = Instant::now() + OPEN_TIMEOUT;
    loop {
        let error = match consumer.fetch_metadata(Some(topic), ASK_TIMEOUT) {
            Ok(metadata) => return Ok(metadata),
            Err(error) => error,
        };
        let refused = Some(RDKafkaErrorCode::Authentication);
        while let Some(event) = consumer.poll(Duration::ZERO) {
            if event.is_err_and(|error| error.rdkafka_error_code() == refused) {
                let message = format!("{brokers} does not take who we say we are");
                return Err(consumer
                    .context()
                    .explain(BatchError::config(message), "no reason given"));
            }
        }
        if Instant::now() >= deadline {
            let seconds = OPEN_TIMEOUT.as_secs();
            let message = format!("no broker of {brokers} answered within {seconds} s");
            let silent = BatchError::new(crate::ErrorKind::Failed, message);
            return Err(consumer.context().explain(silent, error));
        }
        // A connection that is refused at once is an answer at once.
        std::thread::sleep(RETRY_PAUSE);
    }
}

/// Asks again while the answer is a passing error. While a topic is being made, and while a partition
/// changes its leader, the broker that is asked may not know yet that it leads.
pub(super) fn patiently<T>(
    ask: impl Fn(Duration) -> Result<T, KafkaError>,
) -> Result<T, KafkaError> {
    let deadline = Instant::now() + OPEN_TIMEOUT;
    loop {
        match ask(OPEN_TIMEOUT) {
            Err(error) if is_passing(&error) && Instant::now() < deadline => {
                std::thread::sleep(RETRY_PAUSE);
            }
            answer => return answer,
        }
    }
}

/// Whether the client goes on by itself: a lost connection, a new leader. Silence that lasts is
/// told apart by its own limit.
pub(super) fn is_passing(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::RequestTimedOut
                | RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::CoordinatorLoadInProgress
        )
    )
}

/// Keeps what the client last complained of: its errors are codes, and the reasons are in its log.
#[derive(Default)]
pub(super) struct Context {
    complaint: Mutex<Option<String>>,
}

impl Context {
    /// Adds the reason to an error: the last complaint, or what there is instead.
    fn explain(
        &self,
        error: BatchError,
        instead: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> BatchError {
        let complaint = self.complaint.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match complaint {
            Some(complaint) => error.with_source(complaint),
            None => error.with_source(instead),
        }
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(?level, facility, message, "librdkafka");
        if level as i32 <= RDKafkaLogLevel::Error as i32 {
            // `[thrd:NAME]: ` is of no use to a person.
            let message = message.split_once("]: ").map_or(message, |(_, message)| message);
            let mut complaint = self.complaint.lock().unwrap_or_else(PoisonError::into_inner);
            // A connection that failed says why; others give details of it, or follow from it.
            if facility == "FAIL" || complaint.is_none() {
                *complaint = Some(message.to_owned());
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
    }
}

impl ConsumerContext for Context {}
