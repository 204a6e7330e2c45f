use gametel_core::sink::spool::SpoolStatus;

use super::probe::Condition;

/// What a spool says: it is what must take events. Where they go behind it may be away.
pub(super) fn condition(status: &SpoolStatus) -> Condition {
    let SpoolStatus { pending_bytes, refused_bytes, max_bytes, .. } = *status;
    if pending_bytes + refused_bytes >= max_bytes {
        let message = format!(
            "the spool is full: {pending_bytes} bytes wait and {refused_bytes} were refused, of {max_bytes}"
        );
        return Condition::Down(message.into());
    }
    match &status.last_error {
        Some(failure) => {
            let (waiting, message) = (status.pending_events, &failure.message);
            let message = format!("{waiting} events wait for the sink, which fails: {message}");
            Condition::Degraded(message.into())
        }
        None => Condition::Up,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_takes_room_too() {
        let mut status = SpoolStatus::default();
        (status.max_bytes, status.pending_bytes) = (100, 60);
        assert_eq!(condition(&status), Condition::Up);
        status.refused_bytes = 40;
        assert!(matches!(condition(&status), Condition::Down(_)));
    }
}
