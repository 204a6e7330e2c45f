//! Clients that behave as the README tells them to: each event has an id, and is sent again under it
//! until there is an answer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::event::TestEvent;
use crate::ledger::{Fate, Ledger, Progress};
use crate::support::{Client, Reply};

/// What the clients do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    pub(crate) clients: u32,
    /// How long a client rests between its requests.
    pub(crate) rest: Duration,
    /// How requests look; one of these at a time.
    pub(crate) forms: &'static [Form],
    /// The smallest and the largest batch.
    pub(crate) batch: (usize, usize),
    /// How long a client rests before it sends again what was refused for now.
    pub(crate) retry: Duration,
    /// How many bytes an event has beside the usual ones, at most.
    pub(crate) padding: usize,
    /// How long an event is tried after the end, before it is given up.
    pub(crate) patience: Duration,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            clients: 24,
            rest: Duration::from_millis(50),
            forms: &[Form::Route, Form::Route, Form::Object, Form::Array, Form::Lines],
            batch: (2, 20),
            retry: Duration::from_millis(100),
            padding: 100,
            patience: Duration::from_secs(60),
        }
    }
}

/// The clients at work. They must be told to [`finish`](Self::finish) while the server is there.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) progress: Arc<Progress>,
    threads: Vec<JoinHandle<Ledger>>,
    /// One for each client; it goes on until its is dropped.
    stops: Vec<Sender<()>>,
}

impl Driver {
    pub(crate) fn start(
        address: SocketAddr,
        progress: Arc<Progress>,
        habits: Habits,
        seed: u64,
    ) -> Self {
        let mut seeds = fastrand::Rng::with_seed(seed);
        let mut stops = Vec::new();
        let clients = 0..habits.clients;
        let threads = clients.map(|number| {
            let (stop, stopped) = mpsc::channel();
            stops.push(stop);
            let client = DrivenClient {
                address,
                habits,
                progress: Arc::clone(&progress),
                stopped,
                deadline: None,
                random: fastrand::Rng::with_seed(seeds.u64(..)),
                number,
                events: 0,
                connection: None,
                ledger: Ledger::default(),
            };
            std::thread::spawn(move || client.run())
        });
        let threads = threads.collect();
        Self { progress, threads, stops }
    }

    /// Tells the clients to send nothing new.
    pub(crate) fn stop(&mut self) {
        self.stops.clear();
    }

    /// Lets the clients bring to an end what they have begun, and gives what they know.
    pub(crate) fn finish(mut self) -> Ledger {
        self.stop();
        let mut ledger = Ledger::default();
        for thread in self.threads {
            ledger.add(thread.join().expect("a client does not panic"));
        }
        ledger
    }
}

struct DrivenClient {
    address: SocketAddr,
    habits: Habits,
    progress: Arc<Progress>,
    stopped: Receiver<()>,
    /// Set once it was told to stop.
    deadline: Option<Instant>,
    random: fastrand::Rng,
    number: u32,
    events: u32,
    /// With the incarnation of the server that it leads to.
    connection: Option<(u64, Client)>,
    ledger: Ledger,
}

/// How events are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    Route,
    Object,
    Array,
    Lines,
}

/// What came of one try.
enum Answered {
    /// For each event.
    Each(Vec<Answer>),
    Nothing,
}

#[derive(Clone, Debug)]
enum Answer {
    Accepted,
    /// With a code, and whether it says that the event may be stored all the same.
    Later {
        perhaps: bool,
    },
    Refused(String),
}

impl DrivenClient {
    fn run(mut self) -> Ledger {
        while self.deadline.is_none() {
            self.round();
            self.rest(self.habits.rest);
        }
        self.ledger
    }

    /// Waits, and takes note of being told to stop.
    fn rest(&mut self, time: Duration) {
        if self.deadline.is_some() {
            // There is nothing to be told any more.
            std::thread::sleep(time);
        } else if let Err(RecvTimeoutError::Disconnected) = self.stopped.recv_timeout(time) {
            self.deadline = Some(Instant::now() + self.habits.patience);
        }
    }

    /// One request, with all its tries.
    fn round(&mut self) {
        let form = *self.random.choice(self.habits.forms).expect("there are some");
        let count = match form {
            Form::Route | Form::Object => 1,
            Form::Array | Form::Lines => {
                let (least, most) = self.habits.batch;
                self.random.usize(least..=most)
            }
        };
        // Some clients never ask again: what became of their events only the judge finds out.
        let persistent = self.random.u8(..10) > 0;
        let mut pending: Vec<TestEvent> = (0..count).map(|_| self.event(form)).collect();
        let mut broken = 0;
        while !pending.is_empty() {
            pending.iter_mut().for_each(|event| event.sent.tries += 1);
            let mut wait = Duration::from_millis(20);
            match self.try_once(form, &pending) {
                Some(Answered::Each(answers)) => {
                    let mut left = Vec::new();
                    for (mut event, answer) in pending.into_iter().zip(answers) {
                        match answer {
                            Answer::Accepted => {
                                event.sent.fate = Fate::Acked;
                                self.progress.add_acked();
                            }
                            Answer::Refused(code) => event.sent.fate = Fate::Refused(code),
                            Answer::Later { perhaps } => {
                                event.sent.perhaps += u32::from(perhaps);
                                self.progress.add_deferred();
                                wait = self.habits.retry;
                                left.push(event);
                                continue;
                            }
                        }
                        self.ledger.sent.push(event.sent);
                    }
                    pending = left;
                }
                Some(Answered::Nothing) => {
                    pending.iter_mut().for_each(|event| event.sent.unanswered += 1);
                    broken += 1;
                }
                // It was not even sent.
                None => pending.iter_mut().for_each(|event| event.sent.tries -= 1),
            }
            let over = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if over || (!persistent && pending.iter().any(|event| event.sent.tries > 0)) {
                break;
            }
            if !pending.is_empty() {
                self.rest(wait * (1 + broken).min(5));
            }
        }
        self.ledger.sent.extend(pending.into_iter().map(|event| event.sent));
    }

    fn event(&mut self, form: Form) -> TestEvent {
        self.events += 1;
        let (random, client, number) = (&mut self.random, self.number, self.events);
        // At its own route the type is what it is.
        if !matches!(form, Form::Route) && random.u8(..50) == 0 {
            return TestEvent::bad(random, client, number);
        }
        let padding = random.usize(..=self.habits.padding);
        TestEvent::good(random, client, number, padding)
    }

    /// Sends the events once; none if the server can't be reached.
    fn try_once(&mut self, form: Form, events: &[TestEvent]) -> Option<Answered> {
        let (incarnation, mut client) = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        self.progress.add_offered(events.len());
        let counts = self.ledger.answers.entry(incarnation).or_default();
        let reply = match send(&mut client, form, events) {
            Ok(reply) => reply,
            Err(_) => {
                counts.unanswered += events.len() as u64;
                return Some(Answered::Nothing);
            }
        };
        let answers = read_answers(&reply, form, events.len());
        for answer in &answers {
            match answer {
                Answer::Accepted => counts.accepted += 1,
                Answer::Refused(_) => counts.rejected += 1,
                Answer::Later { .. } => {}
            }
        }
        let code = if reply.status == 200 { String::new() } else { code_of(&reply) };
        self.ledger.note_code(reply.status, &code);
        if reply.header("connection") != Some("close") {
            self.connection = Some((incarnation, client));
        }
        Some(Answered::Each(answers))
    }

    /// Connects to the server, and knows to which of its incarnations.
    fn connect(&self) -> Option<(u64, Client)> {
        let incarnation = self.progress.incarnation.load(Ordering::Acquire);
        let client = Client::connect_patiently(self.address, Duration::from_secs(90)).ok()?;
        (incarnation == self.progress.incarnation.load(Ordering::Acquire))
            .then_some((incarnation, client))
    }
}

fn send(client: &mut Client, form: Form, events: &[TestEvent]) -> io::Result<Reply> {
    let objects = || events.iter().map(TestEvent::object).collect::<Vec<_>>();
    match form {
        Form::Route => client.post(events[0].route, events[0].body()),
        Form::Object if events.len() == 1 => client.post("/v1/events", events[0].object()),
        Form::Object | Form::Array => {
            client.post("/v1/events", format!("[{}]", objects().join(",")))
        }
        Form::Lines => client.post_as("application/x-ndjson", "/v1/events", objects().join("\n")),
    }
}

fn read_answers(reply: &Reply, form: Form, count: usize) -> Vec<Answer> {
    let retry_after = || {
        assert!(reply.header("retry-after").is_some(), "without Retry-After: {reply:?}");
    };
    if matches!(reply.status, 429 | 503) {
        retry_after();
    }
    if let (Form::Route, 200) = (form, reply.status) {
        return vec![Answer::Accepted];
    }
    let json = reply.json();
    let Some(results) = json["results"].as_array() else {
        let answer = answer_of(json["error"]["code"].as_str().expect("an error has a code"));
        return vec![answer; count];
    };
    assert_eq!(results.len(), count, "{reply:?}");
    let answers = results.iter().map(|result| {
        if result["status"] == "accepted" {
            return Answer::Accepted;
        }
        answer_of(result["error"]["code"].as_str().expect("a refusal has a code"))
    });
    answers.collect()
}

/// What the README says of a code.
fn answer_of(code: &str) -> Answer {
    match code {
        "unavailable" | "io" | "internal_error" => Answer::Later { perhaps: true },
        "overloaded" | "rate_limited" | "backpressure" | "closed" | "body_timeout"
        | "incomplete_body" => Answer::Later { perhaps: false },
        code => Answer::Refused(code.to_owned()),
    }
}

fn code_of(reply: &Reply) -> String {
    reply.json()["error"]["code"].as_str().unwrap_or("without a code").to_owned()
}
