//! Clients that behave as the README tells them to: each event has an id, and is sent again under it
//! until there is an answer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::answer::{Answer, code_of, read_answers};
use crate::event::TestEvent;
use crate::ledger::{Fate, Ledger, Progress, Worth};
use crate::support::Client;

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
    /// Of a thousand requests, how many clients do not wait for the answer, but hang up.
    pub(crate) hang_ups: u32,
    /// Of a hundred events, how many have a field that is not what the catalog says.
    pub(crate) misfits: u32,
    /// The clients' keys, in turn; none if there are none.
    pub(crate) keys: &'static [Key],
    /// How long an event is tried after the end, before it is given up.
    pub(crate) patience: Duration,
}

/// A key that a client has, and what the server should make of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) text: &'static str,
    /// The event types that it lets in.
    pub(crate) allows: &'static [&'static str],
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
            hang_ups: 30,
            misfits: 0,
            keys: &[],
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
                key: habits.keys.get(number as usize % habits.keys.len().max(1)).copied(),
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

    /// Tells the clients to send nothing new, lets them bring to an end what they have begun, and gives
    /// what they know.
    pub(crate) fn finish(mut self) -> Ledger {
        self.stops.clear();
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
    key: Option<Key>,
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

/// What came of one try, with the incarnation of the server that it was sent to.
struct Tried {
    incarnation: u64,
    /// For each event; none if there was no answer.
    answers: Option<Vec<Answer>>,
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
                Some(Tried { incarnation, answers: Some(answers) }) => {
                    let mut left = Vec::new();
                    for (mut event, answer) in pending.into_iter().zip(answers) {
                        match answer {
                            Answer::Accepted | Answer::Quarantined => {
                                event.sent.fate = Fate::Acked;
                                event.sent.life(incarnation).acked = true;
                                self.progress.add_acked();
                            }
                            Answer::Refused(code) => event.sent.fate = Fate::Refused(code),
                            Answer::Failed { perhaps } => {
                                event.sent.life(incarnation).perhaps += u32::from(perhaps);
                                self.progress.add_deferred();
                                wait = self.habits.retry;
                                left.push(event);
                                continue;
                            }
                            Answer::NotYet => {
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
                Some(Tried { incarnation, answers: None }) => {
                    for event in &mut pending {
                        event.sent.life(incarnation).unanswered += 1;
                    }
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
        let mut event = if random.u32(..100) < self.habits.misfits {
            TestEvent::misfit(random, client, number)
        } else {
            TestEvent::good(random, client, number, padding)
        };
        if self.key.is_some_and(|key| !key.allows.contains(&event.event_type)) {
            event.sent.worth = Worth::Bad;
        }
        event
    }

    /// Sends the events once; none if the server can't be reached.
    fn try_once(&mut self, form: Form, events: &[TestEvent]) -> Option<Tried> {
        let (incarnation, mut client) = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        self.progress.add_offered(events.len());
        let hangs_up = self.random.u32(..1000) < self.habits.hang_ups;
        let counts = self.ledger.answers.entry(incarnation).or_default();
        let sent = send(&mut client, form, self.key, events);
        if hangs_up {
            // The request may be at any point of its way by then.
            std::thread::sleep(Duration::from_micros(self.random.u64(..5_000)));
            drop(client);
            counts.unanswered += events.len() as u64;
            return Some(Tried { incarnation, answers: None });
        }
        let Ok(reply) = sent.and_then(|()| client.reply()) else {
            counts.unanswered += events.len() as u64;
            return Some(Tried { incarnation, answers: None });
        };
        let answers = read_answers(&reply, form, events.len());
        let code = if reply.status == 200 { String::new() } else { code_of(&reply) };
        counts.told.note(&code, &answers);
        self.ledger.note_code(reply.status, &code);
        if reply.header("connection") != Some("close") {
            self.connection = Some((incarnation, client));
        }
        Some(Tried { incarnation, answers: Some(answers) })
    }

    /// Connects to the server, and knows to which of its incarnations.
    fn connect(&self) -> Option<(u64, Client)> {
        let incarnation = self.progress.incarnation.load(Ordering::Acquire);
        let client = Client::connect_patiently(self.address, Duration::from_secs(90)).ok()?;
        (incarnation == self.progress.incarnation.load(Ordering::Acquire))
            .then_some((incarnation, client))
    }
}

fn send(client: &mut Client, form: Form, key: Option<Key>, events: &[TestEvent]) -> io::Result<()> {
    let objects = || events.iter().map(TestEvent::object).collect::<Vec<_>>();
    let (path, content_type, body) = match form {
        Form::Route => (events[0].route, "application/json", events[0].body()),
        Form::Object if events.len() == 1 => ("/v1/events", "application/json", events[0].object()),
        Form::Object | Form::Array => {
            ("/v1/events", "application/json", format!("[{}]", objects().join(",")))
        }
        Form::Lines => ("/v1/events", "application/x-ndjson", objects().join("\n")),
    };
    let content_type = format!("Content-Type: {content_type}");
    let key = key.map(|key| format!("X-Api-Key: {}", key.text));
    let headers = [Some(&*content_type), key.as_deref()];
    let headers: Vec<&str> = headers.into_iter().flatten().collect();
    client.send_request(&format!("POST {path}"), &headers, body)
}
