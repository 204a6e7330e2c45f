use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use gametel_core::event::Timestamp;

use super::health::Health;

use super::monitor::Monitor;
use super::probe::Condition;
use super::report::{Check, Report, Status};

/// Whether the server is ready: what it knows by itself, and what its monitor sees.
#[derive(Debug)]
pub(crate) struct Readiness {
    pub(crate) health: Health,
    monitor: Monitor,
    /// Why the last write that failed did so, in the sink's own words.
    failure: Mutex<String>,
    /// What was seen last, in the order of the checks.
    seen: Mutex<Vec<(Status, Timestamp)>>,
}

impl Readiness {
    pub(crate) fn new(monitor: Monitor) -> Self {
        let health = Health::new(Instant::now());
        Self { health, monitor, failure: Mutex::default(), seen: Mutex::default() }
    }

    /// Takes note of a write that failed, and why; says whether that is news, as
    /// [`Health::failed`] does.
    pub(crate) fn write_failed(&self, why: &str) -> bool {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        why.clone_into(&mut failure);
        drop(failure);
        self.health.failed(Instant::now())
    }

    /// What the writes say of the sink, and what the sink said.
    fn writes(&self) -> Condition {
        match self.health.writes(Instant::now()) {
            Condition::Down(reason) => {
                let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
                Condition::Down(format!("{reason}: {failure}").into())
            }
            other => other,
        }
    }

    /// What sees each Kafka that there is, by the name of the sink.
    #[cfg(feature = "kafka")]
    pub(crate) fn kafka(&self) -> Vec<(&'static str, gametel_core::sink::kafka::KafkaMonitor)> {
        let Monitor { kafka, dead_letter_kafka, .. } = &self.monitor;
        let sinks = [("events", kafka), ("dead_letter", dead_letter_kafka)].into_iter();
        sinks.filter_map(|(sink, monitor)| Some((sink, monitor.clone()?))).collect()
    }

    #[cfg(feature = "log")]
    pub(crate) fn spool(&self) -> Option<&gametel_core::sink::spool::SpoolMonitor> {
        self.monitor.spool.as_ref()
    }

    /// Looks at everything, and logs what is not as it was when it was looked at last.
    pub(crate) fn report(&self) -> Report {
        let mut conditions =
            vec![("server".to_owned(), self.health.server()), ("writes".to_owned(), self.writes())];
        conditions.extend(self.monitor.conditions());
        self.take(conditions, Timestamp::now())
    }

    /// Adds since when each is as it is.
    fn take(&self, conditions: Vec<(String, Condition)>, now: Timestamp) -> Report {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = Vec::new();
        let checks = conditions.into_iter().enumerate().map(|(index, (name, condition))| {
            let (status, reason) = parts(condition);
            let since = match seen.get_mut(index) {
                Some((before, since)) if *before == status => *since,
                Some(slot) => {
                    *slot = (status, now);
                    changed.push(index);
                    now
                }
                None => {
                    seen.push((status, now));
                    // That all is well from the first is no news.
                    if status != Status::Up {
                        changed.push(index);
                    }
                    now
                }
            };
            Check { name, status, reason, since }
        });
        let checks: Vec<Check> = checks.collect();
        drop(seen);
        changed.into_iter().for_each(|index| log_change(&checks[index]));
        Report::new(checks)
    }
}

/// Who asks the public listener is not told the reason; who reads the log is.
fn log_change(Check { name, status, reason, .. }: &Check) {
    let reason = reason.as_deref();
    match status {
        Status::Up => tracing::info!(check = name, "a check is up again"),
        Status::Degraded => tracing::warn!(check = name, reason, "a check is degraded"),
        Status::Down => tracing::warn!(check = name, reason, "a check is down"),
    }
}

fn parts(condition: Condition) -> (Status, Option<Cow<'static, str>>) {
    match condition {
        Condition::Up => (Status::Up, None),
        Condition::Degraded(reason) => (Status::Degraded, Some(reason)),
        Condition::Down(reason) => (Status::Down, Some(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(readiness: &Readiness, disk: Condition, now: i64) -> String {
        let conditions = vec![("server".to_owned(), Condition::Up), ("disk".to_owned(), disk)];
        let report = readiness.take(conditions, Timestamp::from_millis(now));
        serde_json::to_string(&report).unwrap()
    }

    #[test]
    fn a_check_says_since_when_it_is_as_it_is() {
        let readiness = Readiness::new(Monitor::default());
        let server = r#"{"name":"server","status":"up","since":1.0}"#;
        let disk = |status: &str, rest: &str| {
            let whole = match status {
                "up" => "ready",
                "down" => "not_ready",
                other => other,
            };
            let disk = format!(r#"{{"name":"disk","status":"{status}",{rest}}}"#);
            format!(r#"{{"status":"{whole}","checks":[{server},{disk}]}}"#)
        };
        let full = |percent: u32| Condition::Down(format!("{percent} % full").into());
        assert_eq!(json(&readiness, Condition::Up, 1_000), disk("up", r#""since":1.0"#));
        let down = r#""reason":"99 % full","since":2.0"#;
        assert_eq!(json(&readiness, full(99), 2_000), disk("down", down));
        let longer = r#""reason":"100 % full","since":2.0"#;
        assert_eq!(json(&readiness, full(100), 3_500), disk("down", longer));
        let degraded = Condition::Degraded("slow".into());
        let slow = r#""reason":"slow","since":4.25"#;
        assert_eq!(json(&readiness, degraded, 4_250), disk("degraded", slow));
        assert_eq!(json(&readiness, Condition::Up, 5_000), disk("up", r#""since":5.0"#));
    }
}
