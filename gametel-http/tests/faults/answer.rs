//! What an answer says of each event, as the README has it.

use crate::driver::Form;
use crate::ledger::Counts;
use crate::support::Reply;

#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Accepted,
    /// Kept as a dead letter.
    Quarantined,
    /// The sink did not take it; perhaps the event is stored all the same.
    Failed {
        perhaps: bool,
    },
    /// Nothing was done for it: it comes at a bad time.
    NotYet,
    /// For good, with this code.
    Refused(String),
}

/// Reads the answer for each of so many events.
pub(crate) fn read_answers(reply: &Reply, form: Form, count: usize) -> Vec<Answer> {
    if matches!(reply.status, 429 | 503) {
        assert!(reply.header("retry-after").is_some(), "without Retry-After: {reply:?}");
    }
    if let (Form::Route, 200) = (form, reply.status) {
        return vec![Answer::Accepted];
    }
    let json = reply.json();
    if let (Form::Route, 202) = (form, reply.status) {
        assert_eq!(json["status"], "quarantined", "{reply:?}");
        return vec![Answer::Quarantined];
    }
    assert_tells_nothing(&json["error"]);
    let Some(results) = json["results"].as_array() else {
        let answer = answer_of(json["error"]["code"].as_str().expect("an error has a code"));
        return vec![answer; count];
    };
    assert_eq!(results.len(), count, "{reply:?}");
    let answers = results.iter().map(|result| match result["status"].as_str() {
        Some("accepted") => Answer::Accepted,
        Some("quarantined") => Answer::Quarantined,
        _ => {
            assert_tells_nothing(&result["error"]);
            answer_of(result["error"]["code"].as_str().expect("a refusal has a code"))
        }
    });
    answers.collect()
}

/// Whoever asks is not told where events are stored, nor what the driver said.
fn assert_tells_nothing(error: &serde_json::Value) {
    let text = error.to_string();
    for part in ["127.0.0.1", ".db", "kafka", "Kafka", "Broker", "spool", "os error", "disk"] {
        assert!(!text.contains(part), "{text}");
    }
}

fn answer_of(code: &str) -> Answer {
    match code {
        "unavailable" | "io" | "internal_error" => Answer::Failed { perhaps: true },
        "backpressure" | "closed" => Answer::Failed { perhaps: false },
        "body_timeout" | "incomplete_body" | "overloaded" | "rate_limited" => Answer::NotYet,
        code => Answer::Refused(code.to_owned()),
    }
}

/// The code of an answer as a whole.
pub(crate) fn code_of(reply: &Reply) -> String {
    reply.json()["error"]["code"].as_str().unwrap_or("without a code").to_owned()
}

impl Counts {
    /// Adds what an answer with this code, or none, says of its events.
    pub(crate) fn note(&mut self, code: &str, answers: &[Answer]) {
        match code {
            "overloaded" => self.overloaded += 1,
            "rate_limited" => self.rate_limited += 1,
            _ => {}
        }
        for answer in answers {
            match answer {
                Answer::Accepted => self.accepted += 1,
                Answer::Quarantined => self.quarantined += 1,
                Answer::Failed { .. } => self.failed += 1,
                // Without a key that counts, nobody looks what was sent.
                Answer::Refused(code) if code == "unauthorized" => {}
                Answer::Refused(_) => self.rejected += 1,
                Answer::NotYet => {}
            }
        }
    }
}
