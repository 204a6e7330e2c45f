use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use rdkafka::Statistics;
use rdkafka::statistics::Broker;

/// What the Kafka client says of itself: its brokers, its queue, and what became of the events.
///
/// A snapshot, taken every [interval](super::KafkaSinkBuilder::statistics_interval). Counters only
/// rise while the sink is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KafkaStatistics {
    /// When they were taken.
    pub at: Instant,
    /// The brokers that the client knows, by name. One that it was given as an address and then
    /// learned of is there twice.
    pub brokers: Vec<BrokerStatistics>,
    /// Events that are queued or in flight.
    pub queued_events: u64,
    /// Their size.
    pub queued_bytes: u64,
    /// Events that were sent to a broker, each try counted: where it grows faster than
    /// [`delivered`](Self::delivered) and [`failed`](Self::failed) together, the client sends again.
    pub sent: u64,
    /// Events that were confirmed. As with [`failed`](Self::failed), those of a write whose future
    /// was dropped are not counted.
    pub delivered: u64,
    /// Events that were not: refused by the queue or the brokers, or not confirmed in time.
    pub failed: u64,
}

/// What the Kafka client says of one broker.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrokerStatistics {
    /// `host:port/id`, where the id of one that is known by address only is `bootstrap`.
    pub name: String,
    /// Whether there is a connection to it.
    pub state: BrokerState,
    /// How long it took to answer, on average since the snapshot before; none if it answered nothing.
    pub rtt: Option<Duration>,
}

/// Whether there is a connection to a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BrokerState {
    /// There is one, and it works.
    Up,
    /// One is being made.
    Connecting,
    /// There is none: it failed, or the broker closed it.
    Down,
    /// There never was one, since nothing was to be sent to this broker.
    Unused,
}

impl KafkaStatistics {
    /// Whether there is a connection to any broker.
    ///
    /// One is kept open also where nothing is sent, for the client's own requests.
    pub fn any_broker_up(&self) -> bool {
        self.brokers.iter().any(|broker| broker.state == BrokerState::Up)
    }

    /// Takes over what the client library says. `delivered` and `failed` it does not count.
    pub(super) fn new(statistics: Statistics, at: Instant, delivered: u64, failed: u64) -> Self {
        Self {
            at,
            brokers: brokers(statistics.brokers),
            queued_events: statistics.msg_cnt,
            queued_bytes: statistics.msg_size,
            // The client's count of retries is of other requests; an event goes back to its queue.
            sent: statistics.txmsgs.max(0).unsigned_abs(),
            delivered,
            failed,
        }
    }
}

impl BrokerState {
    /// The state as one lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Connecting => "connecting",
            Self::Down => "down",
            Self::Unused => "unused",
        }
    }

    fn new(state: &str, connects: Option<i64>) -> Self {
        match state {
            "UP" | "UPDATE" | "REAUTH" => Self::Up,
            // Between two tries, or before the first.
            "INIT" | "DOWN" | "TRY_CONNECT" if connects == Some(0) => Self::Unused,
            "INIT" | "DOWN" | "TRY_CONNECT" => Self::Down,
            // Connecting, shaking hands, authenticating, asking for the protocol's version.
            _ => Self::Connecting,
        }
    }
}

impl fmt::Display for BrokerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Without the client's own handles that stand for no broker.
fn brokers(brokers: HashMap<String, Broker>) -> Vec<BrokerStatistics> {
    let real =
        brokers.into_values().filter(|broker| matches!(&*broker.source, "learned" | "configured"));
    let mut brokers: Vec<BrokerStatistics> = real
        .map(|broker| BrokerStatistics {
            state: BrokerState::new(&broker.state, broker.connects),
            rtt: broker.rtt.filter(|rtt| rtt.cnt > 0).map(|rtt| micros(rtt.avg)),
            name: broker.name,
        })
        .collect();
    brokers.sort_by(|one, other| one.name.cmp(&other.name));
    brokers
}

fn micros(micros: i64) -> Duration {
    Duration::from_micros(micros.max(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use rdkafka::statistics::Window;

    use super::*;

    fn broker(name: &str, source: &str, state: &str, connects: i64) -> (String, Broker) {
        let broker = Broker {
            name: name.to_owned(),
            source: source.to_owned(),
            state: state.to_owned(),
            connects: Some(connects),
            ..Broker::default()
        };
        (name.to_owned(), broker)
    }

    fn states(brokers: Vec<(String, Broker)>) -> Vec<(String, BrokerState)> {
        let statistics =
            Statistics { brokers: brokers.into_iter().collect(), ..Default::default() };
        let taken = KafkaStatistics::new(statistics, Instant::now(), 0, 0);
        taken.brokers.into_iter().map(|broker| (broker.name, broker.state)).collect()
    }

    #[test]
    fn a_broker_is_up_down_or_was_never_needed() {
        use BrokerState::{Connecting, Down, Unused, Up};
        for (state, connects, expected) in [
            ("UP", 1, Up),
            ("UPDATE", 1, Up),
            ("INIT", 0, Unused),
            ("TRY_CONNECT", 0, Unused),
            ("TRY_CONNECT", 3, Down),
            ("DOWN", 1, Down),
            ("CONNECT", 1, Connecting),
            ("APIVERSION_QUERY", 1, Connecting),
            ("AUTH_REQ", 1, Connecting),
        ] {
            let found = states(vec![broker("a:1/1", "learned", state, connects)]);
            assert_eq!(found, [("a:1/1".to_owned(), expected)], "{state} {connects}");
        }
    }

    #[test]
    fn the_clients_own_handles_are_no_brokers() {
        let found = states(vec![
            broker("b:1/2", "learned", "DOWN", 1),
            broker("a:1/bootstrap", "configured", "UP", 1),
            broker(":0/internal", "internal", "UP", 1),
            broker("GroupCoordinator", "logical", "UP", 1),
        ]);
        let names: Vec<&str> = found.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["a:1/bootstrap", "b:1/2"]);
    }

    #[test]
    fn numbers_are_added_up_and_times_are_durations() {
        let (name, mut one) = broker("a:1/1", "learned", "UP", 1);
        one.rtt = Some(Window { avg: 1_500, cnt: 4, ..Window::default() });
        let (other, mut silent) = broker("b:1/2", "learned", "UP", 1);
        silent.rtt = Some(Window::default());
        let statistics = Statistics {
            msg_cnt: 3,
            msg_size: 900,
            txmsgs: 12,
            brokers: HashMap::from([(name, one), (other, silent)]),
            ..Statistics::default()
        };
        let taken = KafkaStatistics::new(statistics, Instant::now(), 5, 6);
        assert_eq!((taken.queued_events, taken.queued_bytes, taken.sent), (3, 900, 12));
        assert_eq!((taken.delivered, taken.failed), (5, 6));
        let rtts: Vec<_> = taken.brokers.iter().map(|broker| broker.rtt).collect();
        assert_eq!(rtts, [Some(Duration::from_micros(1_500)), None]);
    }
}
