//! Numbers and texts as a person reads them.

use gametel_core::event::Timestamp;

/// A number with a comma after each thousand.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// "1 event", "2,000 events".
pub(super) fn events(number: u64) -> String {
    format!("{} event{}", count(number), if number == 1 { "" } else { "s" })
}

/// A size with one digit after the point, in the largest unit of which it has one.
pub(super) fn bytes(bytes: u64) -> String {
    let (mut size, mut unit) = (bytes as f64, "B");
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if size < 1024.0 {
            break;
        }
        (size, unit) = (size / 1024.0, larger);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{size:.1} {unit}") }
}

/// A time that has passed, in its two largest units.
pub(super) fn age(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match () {
        () if days > 0 => format!("{days} d {} h", hours % 24),
        () if hours > 0 => format!("{hours} h {} min", minutes % 60),
        () if minutes > 0 => format!("{minutes} min {} s", seconds % 60),
        () => format!("{seconds} s"),
    }
}

/// Whole seconds from then to now; none is negative, whatever the clock did.
pub(super) fn seconds_since(then: Timestamp, now: Timestamp) -> u64 {
    let micros = now.as_micros().saturating_sub(then.as_micros());
    u64::try_from(micros / 1_000_000).unwrap_or(0)
}

/// Shows control characters as escapes: what is in an event is a stranger's, and must not steer the
/// terminal of whoever looks at it.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 1, 2_000].map(events), ["0 events", "1 event", "2,000 events"]);
        assert_eq!(
            [0, 1_023, 1_024, 1_610_612_736].map(bytes),
            ["0 B", "1023 B", "1.0 KiB", "1.5 GiB"]
        );
        let ages = [59, 61, 3_660, 90_000].map(age);
        assert_eq!(ages, ["59 s", "1 min 1 s", "1 h 1 min", "1 d 1 h"]);
    }

    #[test]
    fn a_text_steers_no_terminal() {
        assert_eq!(printable("é\u{1b}[2J\n"), r"é\u{1b}[2J\n");
    }
}
