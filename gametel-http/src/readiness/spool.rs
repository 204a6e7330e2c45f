use gametel_core::sink::spool::{SpoolAck, SpoolStatus};

use super::probe::Condition;

/// What a spool says: it is what must take events. Where they go behind it may be away, unless writes
/// wait for that.
pub(super) fn condition(status: &SpoolStatus) -> Condition {
    let SpoolStatus { pending_bytes, refused_bytes, max_bytes, .. } = *status;
    if pending_bytes + refused_bytes >= max_bytes {
        let message = format!(
            "the spool is full: {pending_bytes} bytes wait and {refused_bytes} were refused, of {max_bytes}"
        );
        return Condition::Down(message.into());
    }
    if let Some(why) = &status.refusing {
        return Condition::Down(format!("the spool takes no events: {}", why.message).into());
    }
    match (&status.last_error, status.ack) {
        (Some(failure), ack) => {
            let (waiting, message) = (status.pending_events, &failure.message);
            let message = format!("{waiting} events wait for the sink, which fails: {message}");
            match ack {
                SpoolAck::Spool => Condition::Degraded(message.into()),
                SpoolAck::Target => Condition::Down(message.into()),
            }
        }
        (None, _) => Condition::Up,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gametel_core::event::game::PurchaseSword;
    use gametel_core::sink::spool::SpoolOptions;
    use gametel_core::sink::{EventSink, EventSinkExt, MemorySink, SinkErrorKind, Spool};
    use gametel_core::testing::{Call, Fault, FaultSink, When};

    use super::*;

    #[test]
    fn what_was_refused_takes_room_too() {
        let mut status = SpoolStatus::default();
        (status.max_bytes, status.pending_bytes) = (100, 60);
        assert_eq!(condition(&status), Condition::Up);
        status.refused_bytes = 40;
        assert!(matches!(condition(&status), Condition::Down(_)));
    }

    /// A spool of one event at most, in front of a sink that hangs.
    async fn full(ack: SpoolAck) -> (tempfile::TempDir, Spool) {
        let directory = tempfile::tempdir().unwrap();
        let options = SpoolOptions::default()
            .with_max_events(1)
            .with_close_timeout(Duration::ZERO)
            .with_ack_timeout(Duration::from_millis(1))
            .with_ack(ack);
        let sink = FaultSink::new(MemorySink::new());
        sink.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
        let spool = Spool::open(&directory.path().join("spool.db"), sink, options).unwrap();
        drop(spool.send(&PurchaseSword).await);
        while spool.monitor().status().last_error.is_none() {
            tokio::task::yield_now().await;
        }
        (directory, spool)
    }

    #[tokio::test]
    async fn a_sink_that_fails_behind_a_spool_matters_to_writes_that_wait_for_it() {
        let (_directory, spool) = full(SpoolAck::Spool).await;
        assert!(matches!(condition(&spool.monitor().status()), Condition::Degraded(_)));
        spool.close().await.unwrap();
        let (_directory, spool) = full(SpoolAck::Target).await;
        assert!(matches!(condition(&spool.monitor().status()), Condition::Down(_)));
        spool.close().await.unwrap();
    }

    #[tokio::test]
    async fn a_spool_that_refuses_is_down_whatever_the_bytes_say() {
        let (_directory, spool) = full(SpoolAck::Spool).await;
        spool.send(&PurchaseSword).await.unwrap_err();
        match condition(&spool.monitor().status()) {
            Condition::Down(why) => assert!(why.contains("takes no events"), "{why}"),
            other => panic!("{other:?}"),
        }
        spool.close().await.unwrap();
    }
}
