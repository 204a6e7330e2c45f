//! One server, its clients and its destination, through a plan of faults to the verdict.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gametel_cluster::{PrivateKafka, SmallDisk};

use crate::driver::{Driver, Habits};
use crate::judge::{Forwarding, Judge, Verdict};
use crate::ledger::{Ledger, poll};
use crate::plan::{Fault, Plan, Run};
use crate::proxy::{Proxy, Weather};
use crate::server::{Clients, Server};
use crate::stored::{SpoolFile, Store};

/// What a scenario is about.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) server: Server,
    pub(crate) store: Store,
    /// Where the dead letters are, if there are any.
    pub(crate) dead_letters: Option<Store>,
    pub(crate) habits: Habits,
    /// Answers that there must have been: status and code.
    pub(crate) answers: &'static [&'static str],
    pub(crate) broker: Option<Broker>,
    pub(crate) disk: Option<SmallDisk>,
    /// What is between the server and the store, if anything.
    pub(crate) spool: Option<Spool>,
    /// How many faults there are at least.
    pub(crate) faults: usize,
}

/// A spool in front of the store.
pub(crate) struct Spool {
    pub(crate) file: SpoolFile,
    /// Whether a 2xx waits for the store all the same.
    pub(crate) acks_for_target: bool,
    /// How long the broker is away.
    pub(crate) absence: Duration,
}

impl Spool {
    /// One whose word is enough, and whose broker is never away for long.
    pub(crate) fn that_acks(file: SpoolFile) -> Self {
        Self { file, acks_for_target: false, absence: Duration::ZERO }
    }
}

/// A broker of the test's own, behind the proxy.
pub(crate) struct Broker {
    pub(crate) kafka: PrivateKafka,
    pub(crate) proxy: Proxy,
}

impl Broker {
    /// Starts both; none if the test is to be skipped.
    pub(crate) fn start(test: &str, seed: u64) -> Option<Self> {
        let proxy = Proxy::start(seed);
        let kafka = PrivateKafka::start_behind(test, proxy.address().port())?;
        proxy.lead_to(kafka.address());
        Some(Self { kafka, proxy })
    }
}

impl Scenario {
    /// So many acks show that all is well again, within this time.
    const ACKS: u64 = 300;
    const RECOVERY: Duration = Duration::from_secs(60);
    /// The longest pause of a spool's, and then some.
    const EMPTYING: Duration = Duration::from_secs(90);

    /// Runs through one deck of faults, and goes on until the time is up. Prints what came of it.
    ///
    /// # Panics
    ///
    /// If the judge complains of anything, or the server does not recover from a fault.
    pub(crate) fn run(mut self, deck: &'static [Fault], run: Run) {
        let Run { seed, time } = run;
        say(&format!("\n{}: GAMETEL_FAULTS_SEED={seed}", self.name));
        let start = Instant::now();
        let mut plan = Plan::new(run, deck);
        let progress = Arc::clone(&self.server.progress);
        let driver = Driver::start(self.server.address, progress, self.habits, seed);
        while plan.total() < self.faults || start.elapsed() < time {
            let fault = plan.next();
            self.inject(fault, &mut plan);
            assert!(
                driver.progress.await_acks(Self::ACKS, Self::RECOVERY),
                "{}, seed {seed}: no recovery from {fault:?}, the fault number {}",
                self.name,
                plan.total(),
            );
        }
        let ledger = driver.finish();
        if let Some(Spool { file, .. }) = &self.spool {
            let emptied = poll(Self::EMPTYING, || file.counts().0 == 0);
            assert!(emptied, "{}, seed {seed}: the spool does not get empty", self.name);
        }
        let memory = self.server.peak_memory();
        self.server.stop(Clients::Done);
        let verdict = self.judge(&ledger, &plan);
        let dead_letters = self.judge_dead_letters(&ledger, &plan);
        say(&self.report(&plan, &ledger, start.elapsed(), memory));
        say(&verdict.to_string());
        assert_eq!(verdict.complaints(), [], "{}, seed {seed}", self.name);
        assert!(verdict.acked > 0);
        if let Some(verdict) = dead_letters {
            say(&format!("dead letters:\n{verdict}"));
            assert_eq!(verdict.complaints(), [], "dead letters, {}, seed {seed}", self.name);
            assert!(verdict.acked > 0);
        }
        for code in self.answers {
            assert!(ledger.has_code(code), "nobody was answered with {code}");
        }
    }

    fn judge(&self, ledger: &Ledger, plan: &Plan) -> Verdict {
        let mut judge = Judge::new(ledger, self.forwarding(plan));
        self.store.read(|headers, value| judge.see(headers, value));
        let mut verdict = judge.verdict();
        if let Some(Spool { file, .. }) = &self.spool
            && file.counts() != (0, 0)
        {
            verdict
                .complain("left in the spool", format!("(pending, refused): {:?}", file.counts()));
        }
        self.server.check_counters(ledger, &mut verdict);
        verdict
    }

    fn judge_dead_letters(&self, ledger: &Ledger, plan: &Plan) -> Option<Verdict> {
        let mut judge = Judge::of_dead_letters(ledger, self.forwarding(plan));
        self.dead_letters.as_ref()?.read(|headers, value| judge.see(headers, value));
        Some(judge.verdict())
    }

    fn forwarding(&self, plan: &Plan) -> Forwarding {
        match (&self.spool, &self.store) {
            (Some(_), _) => Forwarding::Spooled { interruptions: plan.total() + 1 },
            (None, Store::Topic { .. }) => Forwarding::Produced,
            (None, Store::Log(_)) => Forwarding::Direct,
        }
    }

    fn inject(&mut self, fault: Fault, plan: &mut Plan) {
        let spell = plan.spell();
        match fault {
            Fault::KillServer => {
                self.server.kill();
                self.server.restart();
            }
            Fault::StopServer => {
                self.server.stop(Clients::Sending);
                self.server.restart();
            }
            Fault::FullDisk => self.fill_disk(),
            Fault::BrokerAway => self.miss_broker(),
            fault => self.inject_at_broker(fault, plan, spell),
        }
    }

    fn inject_at_broker(&mut self, fault: Fault, plan: &mut Plan, spell: Duration) {
        let Broker { kafka, proxy } = self.broker.as_ref().expect("the deck is for a broker");
        let latency = Duration::from_millis(plan.random.u64(20..150));
        match fault {
            Fault::KillBroker => {
                kafka.kill();
                last(spell);
                kafka.restart();
            }
            Fault::FreezeBroker => {
                kafka.freeze();
                last(spell * 2);
                kafka.thaw();
            }
            Fault::Cut => proxy.cut(),
            Fault::Reset => {
                proxy.set(Weather::Resetting { after: plan.random.u64(500..20_000) });
                last(spell);
            }
            Fault::Slow => {
                proxy.set(Weather::Slow { latency, jitter: latency });
                last(spell * 2);
            }
            Fault::Narrow => {
                let bytes_per_second = plan.random.u32(2_000..40_000);
                proxy.set(Weather::Narrow { bytes_per_second });
                last(spell * 2);
            }
            Fault::BlackHole => {
                proxy.set(Weather::BlackHole);
                last(spell * 2);
            }
            Fault::HalfOpen => {
                proxy.set(Weather::HalfOpen);
                last(spell);
            }
            Fault::KillServerHalfOpen => {
                proxy.set(Weather::HalfOpen);
                last(spell);
                self.server.kill();
                proxy.set(Weather::Clear);
                self.server.restart();
            }
            Fault::KillServerFrozen => {
                kafka.freeze();
                last(spell);
                self.server.kill();
                kafka.thaw();
                self.server.restart();
            }
            Fault::KillServer | Fault::StopServer | Fault::FullDisk | Fault::BrokerAway => {
                unreachable!("this is none of what is between server and broker")
            }
        }
        proxy.set(Weather::Clear);
    }

    /// Does without the broker for a long time. The server is killed, started, stopped and started in
    /// it; where the spool answers, the clients notice nothing else.
    fn miss_broker(&mut self) {
        let Broker { kafka, .. } = self.broker.as_ref().expect("the deck is for a broker");
        let spool = self.spool.as_ref().expect("the deck is for a spool");
        let start = Instant::now();
        kafka.kill();
        let goes_on = |server: &Server| {
            let acks =
                spool.acks_for_target || server.progress.await_acks(Self::ACKS, Self::RECOVERY);
            assert!(acks, "nothing is acked while the broker is away");
        };
        goes_on(&self.server);
        self.server.kill();
        self.server.restart();
        goes_on(&self.server);
        last(spool.absence / 4);
        self.server.stop(Clients::Sending);
        self.server.restart();
        goes_on(&self.server);
        last(spool.absence.saturating_sub(start.elapsed()));
        kafka.restart();
    }

    /// Leaves no room for a while, and then makes some.
    fn fill_disk(&self) {
        let filler = self.disk.as_ref().expect("the deck is for a small disk").fill();
        last(Duration::from_secs(2));
        std::fs::remove_file(filler).expect("it is there");
    }

    fn report(&self, plan: &Plan, ledger: &Ledger, time: Duration, memory: usize) -> String {
        let mut text = format!("{}: {:.0} s\n", self.name, time.as_secs_f32());
        let mut line = |what: &str, count: u64| {
            writeln!(text, "  {what:<20} {count:>8}").expect("a string takes it");
        };
        line("faults injected", plan.total() as u64);
        for (fault, count) in &plan.injected {
            line(&format!("  {fault:?}"), *count as u64);
        }
        line("peak memory, MiB", (memory / 1024 / 1024) as u64);
        line("orderly stops", self.server.stops() as u64);
        for (code, count) in &ledger.codes {
            line(&format!("answers {code}"), *count);
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// Lets a fault last. Nothing is waited for: time is what the fault is made of.
pub(crate) fn last(time: Duration) {
    std::thread::sleep(time);
}

/// Prints past the test harness, which swallows what a test that passes prints: the figures are what
/// the run is for.
pub(crate) fn say(text: &str) {
    use std::io::Write as _;
    // With stderr closed there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}
