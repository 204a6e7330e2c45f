use gametel_core::sink::kafka::{BrokerState, KafkaStatistics};

#[cfg(feature = "log")]
use gametel_core::sink::spool::SpoolAck;

use super::probe::Condition;

/// What statistics say of a Kafka behind a spool: what is down there keeps no event from being
/// durable, but from being answered where answers wait for it. It may never have been there, since
/// nothing looks for it before the first event.
#[cfg(feature = "log")]
pub(super) fn behind_a_spool(statistics: Option<&KafkaStatistics>, ack: SpoolAck) -> Condition {
    match statistics {
        None => Condition::Degraded("no broker was reached yet".into()),
        Some(_) => seen_through_a_spool(condition(statistics), ack),
    }
}

#[cfg(feature = "log")]
fn seen_through_a_spool(condition: Condition, ack: SpoolAck) -> Condition {
    match (condition, ack) {
        (Condition::Down(reason), SpoolAck::Spool) => Condition::Degraded(reason),
        (condition, _) => condition,
    }
}

/// What statistics say of a Kafka that events go to directly.
///
/// One broker of many that is away is none of the server's business: its partitions move, and where
/// they can't, writes fail. The client closes connections that it does not need, too.
pub(super) fn condition(statistics: Option<&KafkaStatistics>) -> Condition {
    let Some(statistics) = statistics else {
        // Too early to know; opening the sink has just found a broker.
        return Condition::Up;
    };
    let needed = || {
        let brokers = statistics.brokers.iter();
        brokers.filter(|broker| broker.state != BrokerState::Unused)
    };
    if statistics.any_broker_up() || needed().next().is_none() {
        return Condition::Up;
    }
    let states: Vec<String> =
        needed().map(|broker| format!("{} is {}", broker.name, broker.state)).collect();
    Condition::Down(format!("no broker can be reached: {}", states.join(", ")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_reached_is_up_only_where_opening_has_found_it() {
        assert_eq!(condition(None), Condition::Up);
        #[cfg(feature = "log")]
        for ack in [SpoolAck::Spool, SpoolAck::Target] {
            let expected = Condition::Degraded("no broker was reached yet".into());
            assert_eq!(behind_a_spool(None, ack), expected);
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
