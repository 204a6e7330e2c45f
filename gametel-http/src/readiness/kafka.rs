use gametel_core::sink::kafka::{BrokerState, KafkaContact, KafkaMonitor, KafkaStatistics};

#[cfg(feature = "log")]
use gametel_core::sink::spool::SpoolAck;

use super::probe::Condition;

/// How a Kafka behind a spool is: what is down there keeps no event from being durable, but from being
/// answered where answers wait for it.
#[cfg(feature = "log")]
pub(super) fn behind_a_spool(kafka: &KafkaMonitor, ack: SpoolAck) -> Condition {
    seen_through_a_spool(condition(kafka), ack)
}

#[cfg(feature = "log")]
fn seen_through_a_spool(condition: Condition, ack: SpoolAck) -> Condition {
    match (condition, ack) {
        (Condition::Down(reason), SpoolAck::Spool) => Condition::Degraded(reason),
        (condition, _) => condition,
    }
}

/// How a Kafka is that events go to directly.
pub(super) fn condition(kafka: &KafkaMonitor) -> Condition {
    let statistics = kafka.statistics();
    match (all_down(statistics.as_deref()), kafka.contact()) {
        (Some(states), _) => Condition::Down(format!("no broker can be reached: {states}").into()),
        (None, KafkaContact::Lost { reason, .. }) => Condition::Down(String::from(&*reason).into()),
        // Without probes, a connection is all that can be known before the first write.
        (None, KafkaContact::None) if !statistics.is_some_and(|s| s.any_broker_up()) => {
            Condition::Down("no broker was reached yet".into())
        }
        (None, _) => Condition::Up,
    }
}

/// How the brokers are, if the client has a connection to none of those that it needs.
///
/// One broker of many that is away is none of the server's business: its partitions move, and where
/// they can't, writes fail. The client closes connections that it does not need, too.
fn all_down(statistics: Option<&KafkaStatistics>) -> Option<String> {
    let statistics = statistics?;
    let needed = || {
        let brokers = statistics.brokers.iter();
        brokers.filter(|broker| broker.state != BrokerState::Unused)
    };
    if statistics.any_broker_up() || needed().next().is_none() {
        return None;
    }
    let states: Vec<String> =
        needed().map(|broker| format!("{} is {}", broker.name, broker.state)).collect();
    Some(states.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_reached_is_down_but_for_a_spool_that_answers_by_itself() {
        let (kafka, never) = (KafkaMonitor::new(), "no broker was reached yet");
        assert_eq!(condition(&kafka), Condition::Down(never.into()));
        #[cfg(feature = "log")]
        for (ack, expected) in [
            (SpoolAck::Spool, Condition::Degraded(never.into())),
            (SpoolAck::Target, Condition::Down(never.into())),
        ] {
            assert_eq!(behind_a_spool(&kafka, ack), expected);
        }
    }

    #[cfg(feature = "log")]
    #[test]
    fn what_is_away_behind_a_spool_is_down_where_answers_wait_for_it() {
        let down = || Condition::Down("away".into());
        let degraded = Condition::Degraded("away".into());
        assert_eq!(seen_through_a_spool(down(), SpoolAck::Spool), degraded);
        assert_eq!(seen_through_a_spool(down(), SpoolAck::Target), down());
    }
}
