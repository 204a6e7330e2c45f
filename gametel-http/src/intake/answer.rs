//! The answer of `/v1/events`: what became of each event.

use gametel_core::event::{EventId, Position};
use gametel_core::sink::{Outcome, Receipt, SinkError, WriteReport};
use http::StatusCode;
use serde::{Serialize, Serializer};
use warp::reply::Response;

use crate::error::{
    ApiError, ErrorBody, can_try_again, json_bytes, json_response, json_response_of,
};
use crate::limits::Reservation;
use crate::observe::Tally;

/// An event of a request, before the sink has seen it: one to write, or refused.
pub(crate) type Judged = Result<ToWrite, ErrorBody>;

/// An event that is handed to the sink.
#[derive(Debug)]
pub(crate) struct ToWrite {
    pub(crate) id: EventId,
    /// What is wrong with it, if it is written as a dead letter.
    pub(crate) misfit: Option<ErrorBody>,
}

/// What became of the events of one request, in their order.
#[derive(Debug, Serialize)]
pub(crate) struct EventsAnswer {
    accepted: usize,
    rejected: usize,
    #[serde(skip_serializing_if = "is_zero")]
    quarantined: usize,
    results: Vec<EventResult>,
    /// Why there is nothing among the results that was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorBody>,
    #[serde(skip)]
    refusal: Option<ApiError>,
}

#[derive(Debug, Serialize)]
struct EventResult {
    index: usize,
    status: Status,
    /// Also where the sink failed: sent again under this id, the event is counted once.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    event_id: Option<EventId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorBody>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Accepted,
    Quarantined,
    Rejected,
}

#[derive(Debug, Serialize)]
struct Place {
    topic: String,
    partition: i32,
    offset: i64,
}

impl From<Position> for Place {
    fn from(position: Position) -> Self {
        let Position { topic, partition, offset } = position;
        Self { topic: topic.as_ref().to_owned(), partition, offset }
    }
}

impl EventsAnswer {
    /// Puts together what was judged of each event, and what the sink made of those to write.
    pub(crate) fn new(judged: Vec<Judged>, written: Result<WriteReport, SinkError>) -> Self {
        let (mut outcomes, whole) = match written {
            Ok(report) => (report.into_outcomes().into_iter(), None),
            Err(error) => (Vec::new().into_iter(), Some(error.kind())),
        };
        let mut retryable = whole.filter(|kind| can_try_again(*kind));
        let mut results = Vec::with_capacity(judged.len());
        for (index, judged) in judged.into_iter().enumerate() {
            let rejected = |event_id, error| EventResult {
                index,
                status: Status::Rejected,
                event_id,
                receipt: None,
                error: Some(error),
            };
            results.push(match judged {
                Err(error) => rejected(None, error),
                Ok(ToWrite { id, misfit }) => match (outcomes.next(), whole) {
                    (Some(Outcome::Accepted(receipt)), _) => EventResult {
                        index,
                        status: misfit.as_ref().map_or(Status::Accepted, |_| Status::Quarantined),
                        event_id: Some(id),
                        receipt: receipt.position.map(Place::from),
                        error: misfit,
                    },
                    (Some(Outcome::Rejected(rejection)), _) => {
                        if can_try_again(rejection.kind) {
                            retryable = Some(rejection.kind);
                        }
                        rejected(Some(id), ErrorBody::of_sink(rejection.kind))
                    }
                    (None, Some(kind)) => rejected(Some(id), ErrorBody::of_sink(kind)),
                    (None, None) => rejected(Some(id), ApiError::internal().body),
                },
            });
        }
        let count = |of| results.iter().filter(|result| result.status == of).count();
        let (accepted, quarantined) = (count(Status::Accepted), count(Status::Quarantined));
        let rejected = results.len() - accepted - quarantined;
        let refusal = (rejected > 0 && rejected == results.len())
            .then(|| retryable.or(whole).map_or_else(|| all_rejected(&results), ApiError::of_sink));
        let error = refusal.as_ref().map(|refusal| refusal.body.clone());
        Self { accepted, rejected, quarantined, results, error, refusal }
    }

    /// The answer's bytes stay part of what is in hand until the client has read them.
    pub(crate) fn into_response(mut self, reservation: Reservation) -> Response {
        let refusal = self.refusal.take();
        let status = refusal.as_ref().map_or(StatusCode::OK, |refusal| refusal.status);
        let mut response = json_response_of(status, reservation.hold(json_bytes(&self)));
        response.extensions_mut().insert(self.tally(refusal.as_ref()));
        if let Some(refusal) = refusal {
            refusal.add_headers(&mut response);
        }
        response
    }

    fn tally(&self, refusal: Option<&ApiError>) -> Tally {
        let code = refusal.map(|refusal| refusal.body.code);
        let Self { accepted, quarantined, .. } = *self;
        let mut tally = Tally { accepted, quarantined, code, ..Tally::default() };
        // A dead letter has an error, too, and is not refused.
        let rejected = self.results.iter().filter(|result| result.status == Status::Rejected);
        rejected.filter_map(|result| result.error.as_ref()).for_each(|error| {
            tally.refuse(error.code);
        });
        tally
    }
}

/// The answer of a catalog's route to an event that is stored as a dead letter: not the catalog's
/// reply, which says that it happened.
pub(crate) fn quarantined_response(written: ToWrite, receipt: Receipt) -> Response {
    #[derive(Serialize)]
    struct Body {
        status: Status,
        #[serde(serialize_with = "as_text")]
        event_id: Option<EventId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        receipt: Option<Place>,
        error: Option<ErrorBody>,
    }

    let ToWrite { id, misfit } = written;
    let body = Body {
        status: Status::Quarantined,
        event_id: Some(id),
        receipt: receipt.position.map(Place::from),
        error: misfit,
    };
    let mut response = json_response(StatusCode::ACCEPTED, &body);
    response.extensions_mut().insert(Tally::dead_letter());
    response
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn all_rejected(results: &[EventResult]) -> ApiError {
    let forbidden = |result: &EventResult| {
        let code = result.error.as_ref().map(|error| error.code);
        code == Some(ErrorBody::FORBIDDEN_EVENT_TYPE)
    };
    let status = if results.iter().all(forbidden) {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let error = match results {
        [EventResult { error: Some(error), .. }] => error.clone(),
        _ => {
            let count = results.len();
            let message = format!("none of the {count} events was accepted; see results");
            let code = match status {
                StatusCode::FORBIDDEN => ErrorBody::FORBIDDEN_EVENT_TYPE,
                _ => "all_rejected",
            };
            ErrorBody::new(code, message)
        }
    };
    let status = match error.code {
        "too_large" => StatusCode::PAYLOAD_TOO_LARGE,
        _ => status,
    };
    ApiError::with_body(status, error)
}

fn as_text<S: Serializer>(id: &Option<EventId>, serializer: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => serializer.collect_str(id),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use gametel_core::sink::{Rejection, SinkErrorKind};
    use http::header::RETRY_AFTER;

    use super::*;
    use crate::config::Limits;
    use crate::limits::Budget;

    const ID: &str = "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b";

    /// What a sink may say, and a client must not hear.
    const REASON: &str = "10.1.2.3:9092/1: /var/lib/gametel: Connection refused";

    fn good() -> Judged {
        Ok(ToWrite { id: EventId::parse(ID).unwrap(), misfit: None })
    }

    fn dead_letter() -> Judged {
        let misfit = Some(ErrorBody::new("too_long", "too long"));
        Ok(ToWrite { misfit, ..good().unwrap() })
    }

    fn bad() -> Judged {
        Err(ErrorBody::new("invalid_json", "expected value"))
    }

    fn forbidden() -> Judged {
        Err(ApiError::forbidden_event_type("arena", "purchase_sword").body)
    }

    fn report(outcomes: impl IntoIterator<Item = Outcome>) -> Result<WriteReport, SinkError> {
        Ok(outcomes.into_iter().collect())
    }

    fn rejected(kind: SinkErrorKind) -> Outcome {
        Outcome::Rejected(Rejection::new(kind, REASON))
    }

    fn failed(kind: SinkErrorKind) -> Result<WriteReport, SinkError> {
        let source = std::io::Error::other(REASON);
        Err(SinkError::new(kind, "test", REASON).with_source(source))
    }

    fn response(answer: EventsAnswer) -> Response {
        answer.into_response(Budget::new(&Limits::default()).reservation())
    }

    fn json(answer: &EventsAnswer) -> String {
        serde_json::to_string(answer).unwrap()
    }

    #[test]
    fn each_event_has_its_result_at_its_index() {
        let position = Position { topic: "events".into(), partition: 0, offset: 12 };
        let accepted = Outcome::Accepted(Receipt { position: Some(position) });
        let answer = EventsAnswer::new(
            vec![bad(), good(), good()],
            report([accepted, Outcome::Accepted(Receipt::default())]),
        );
        assert_eq!(
            json(&answer),
            [
                r#"{"accepted":2,"rejected":1,"results":["#,
                r#"{"index":0,"status":"rejected","#,
                r#""error":{"code":"invalid_json","message":"expected value"}},"#,
                r#"{"index":1,"status":"accepted","#,
                r#""event_id":"0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b","#,
                r#""receipt":{"topic":"events","partition":0,"offset":12}},"#,
                r#"{"index":2,"status":"accepted","#,
                r#""event_id":"0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b"}]}"#,
            ]
            .concat()
        );
        assert_eq!(response(answer).status(), StatusCode::OK);
    }

    #[test]
    fn a_dead_letter_is_neither_accepted_nor_rejected() {
        let stored = || Outcome::Accepted(Receipt::default());
        let answer = EventsAnswer::new(vec![dead_letter(), bad()], report([stored()]));
        let text = json(&answer);
        let start = [
            r#"{"accepted":0,"rejected":1,"quarantined":1,"results":[{"index":0,"#,
            r#""status":"quarantined","event_id":"0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b","#,
            r#""error":{"code":"too_long","message":"too long"}},"#,
        ];
        assert!(text.starts_with(&start.concat()), "{text}");
        assert_eq!((answer.error.is_none(), response(answer).status()), (true, StatusCode::OK));
        let answer = EventsAnswer::new(vec![dead_letter()], failed(SinkErrorKind::Unavailable));
        assert!(json(&answer).contains(r#""status":"rejected""#));
        assert_eq!(response(answer).status(), StatusCode::SERVICE_UNAVAILABLE);
    }

    #[test]
    fn the_status_says_what_to_do_where_none_was_accepted() {
        use SinkErrorKind::{Closed, Config, TooLarge, Unavailable};
        let accepted = || Outcome::Accepted(Receipt::default());
        for (judged, written, status, code) in [
            (vec![], report([]), 200, None),
            (vec![bad()], report([]), 422, Some("invalid_json")),
            (vec![bad(), bad()], report([]), 422, Some("all_rejected")),
            (vec![forbidden()], report([]), 403, Some("forbidden_event_type")),
            (vec![forbidden(), forbidden()], report([]), 403, Some("forbidden_event_type")),
            (vec![forbidden(), bad()], report([]), 422, Some("all_rejected")),
            (vec![forbidden(), good()], failed(Unavailable), 503, Some("unavailable")),
            (vec![good()], report([rejected(TooLarge)]), 413, Some("too_large")),
            (vec![bad(), good()], report([rejected(Unavailable)]), 503, Some("unavailable")),
            (vec![good(), good()], report([accepted(), rejected(Unavailable)]), 200, None),
            (vec![bad(), good()], failed(Unavailable), 503, Some("unavailable")),
            (vec![good()], failed(Closed), 503, Some("closed")),
            (vec![good()], failed(Config), 500, Some("config")),
        ] {
            let answer = EventsAnswer::new(judged, written);
            let text = json(&answer);
            assert!(!text.contains("10.1.2.3") && !text.contains("/var/lib"), "{text}");
            assert_eq!(answer.error.as_ref().map(|error| error.code), code, "{text}");
            let response = response(answer);
            assert_eq!(response.status().as_u16(), status, "{text}");
            assert_eq!(response.headers().contains_key(RETRY_AFTER), status == 503, "{text}");
        }
    }

    #[test]
    fn an_event_that_failed_keeps_its_id_for_the_next_try() {
        let text = json(&EventsAnswer::new(vec![good()], failed(SinkErrorKind::Unavailable)));
        assert!(text.contains(&format!("\"event_id\":\"{ID}\"")), "{text}");
    }
}
