//! A client that sends little, and by which one sees how the server is.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::answer::{code_of, read_answers};
use crate::driver::Form;
use crate::event::TestEvent;
use crate::ledger::{Fate, Ledger};
use crate::scenario::last;
use crate::support::Client;

/// Sends one event after the other, each over a connection of its own.
#[derive(Debug)]
pub(crate) struct QuietClient {
    address: SocketAddr,
    random: fastrand::Rng,
    client: u32,
    number: u32,
    /// The server's, which is to live as long as this client.
    incarnation: u64,
    pub(crate) ledger: Ledger,
}

impl QuietClient {
    /// How long it rests between its requests.
    const REST: Duration = Duration::from_millis(20);
    /// So many answers make a judgement.
    const WINDOW: usize = 10;

    /// `client` is a number that no other client has.
    pub(crate) fn new(address: SocketAddr, client: u32, seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(!seed);
        Self { address, random, client, number: 0, incarnation: 1, ledger: Ledger::default() }
    }

    /// How long a server that has nothing else to do takes to accept an event: the median of some.
    ///
    /// # Panics
    ///
    /// If it does not accept each of them.
    pub(crate) fn usual(&mut self) -> Duration {
        let mut times: Vec<Duration> = (0..2 * Self::WINDOW)
            .map(|_| {
                last(Self::REST);
                self.send().expect("a server at rest accepts an event")
            })
            .collect();
        times.sort_unstable();
        times[Self::WINDOW]
    }

    /// Sends until more than half of the latest events are accepted so quickly, and says when that
    /// was; or else how long the latest took, those that were not accepted being none.
    pub(crate) fn recovery(
        &mut self,
        quick: Duration,
        within: Duration,
    ) -> Result<Duration, VecDeque<Option<Duration>>> {
        let start = Instant::now();
        let mut latest = VecDeque::new();
        while start.elapsed() < within {
            latest.push_back(self.send());
            if latest.len() > Self::WINDOW {
                latest.pop_front();
            }
            let quickly = latest.iter().flatten().filter(|time| **time <= quick).count();
            if latest.len() == Self::WINDOW && 2 * quickly > Self::WINDOW {
                return Ok(start.elapsed());
            }
            last(Self::REST);
        }
        Err(latest)
    }

    /// Sends the next event, once; says how long it took, if it was accepted.
    fn send(&mut self) -> Option<Duration> {
        self.number += 1;
        let mut event = TestEvent::good(&mut self.random, self.client, self.number, 0);
        let sent = Instant::now();
        let reply = Client::connect(self.address)
            .and_then(|mut client| client.post(event.route, event.body()));
        let time = sent.elapsed();
        event.sent.tries = 1;
        let answers = self.ledger.answers.entry(self.incarnation).or_default();
        let life = event.sent.life(self.incarnation);
        let mut accepted = false;
        match reply {
            Ok(reply) if reply.status == 200 => {
                answers.told.accepted += 1;
                life.acked = true;
                event.sent.fate = Fate::Acked;
                accepted = true;
            }
            Ok(reply) => {
                assert_eq!(reply.status, 503, "{reply:?}");
                answers.told.note(&code_of(&reply), &read_answers(&reply, Form::Route, 1));
                life.perhaps = 1;
            }
            Err(_) => {
                answers.unanswered += 1;
                life.unanswered = 1;
            }
        }
        self.ledger.sent.push(event.sent);
        accepted.then_some(time)
    }
}
