//! A real server process that comes back at its address, whatever ends it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::judge::Verdict;
use crate::ledger::{Counts, Ledger, Progress};
use crate::support::{Client, Process};

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) progress: Arc<Progress>,
    arguments: Vec<String>,
    process: Option<Process>,
    stops: Vec<Stop>,
}

/// An orderly end, and what an incarnation says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) incarnation: u64,
    pub(crate) clients: Clients,
    /// By the metrics, at the last moment.
    pub(crate) scraped: Counts,
    /// By the log, after it.
    pub(crate) logged: Counts,
}

/// What the clients do while the server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clients {
    Sending,
    /// They have all their answers.
    Done,
}

impl Server {
    /// Starts it, as all its incarnations will be.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], gametel_cluster::free_port()));
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let progress = Arc::default();
        let mut server = Self { address, progress, arguments, process: None, stops: Vec::new() };
        server.restart();
        server
    }

    /// Starts the next incarnation, and waits until it listens.
    pub(crate) fn restart(&mut self) {
        assert!(self.process.is_none(), "there is one already");
        // A client that connects from here on reaches the new one.
        self.progress.incarnation.fetch_add(1, Ordering::AcqRel);
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let arguments = [&arguments[..], &["--admin-listen", "127.0.0.1:0"]].concat();
        self.process = Some(Process::start_at(self.address, &arguments));
    }

    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().expect("there is one to kill");
        process.kill();
        let (code, stderr) = process.wait();
        assert_eq!(code, None, "it ended before it was killed: {stderr}");
    }

    /// Stops it with SIGTERM, which has to go well.
    pub(crate) fn stop(&mut self, clients: Clients) {
        let process = self.process.take().expect("there is one to stop");
        let metrics = Client::connect(process.admin()).and_then(|mut admin| admin.get("/metrics"));
        let scraped = read_metrics(&metrics.expect("the metrics can be read").body);
        process.terminate();
        let (code, stderr) = process.wait();
        assert_eq!(code, Some(0), "{stderr}");
        let incarnation = self.progress.incarnation.load(Ordering::Acquire);
        let logged = read_log(&stderr);
        self.stops.push(Stop { incarnation, clients, scraped, logged });
    }

    /// The most memory that it has had, in bytes.
    pub(crate) fn peak_memory(&self) -> usize {
        self.process.as_ref().expect("it runs").peak_memory()
    }

    /// Compares what the server's incarnations counted with what their clients were told.
    pub(crate) fn check_counters(&self, ledger: &Ledger, verdict: &mut Verdict) {
        check_counters(&self.stops, ledger, verdict);
    }

    pub(crate) fn stops(&self) -> usize {
        self.stops.len()
    }
}

/// An event may have been counted whose answer did not arrive; nothing else makes a difference. What
/// the metrics said last is no more than what the log says after it, and, with the clients gone, no
/// less than what they were told.
pub(crate) fn check_counters(stops: &[Stop], ledger: &Ledger, verdict: &mut Verdict) {
    for stop in stops {
        let answers = ledger.answers.get(&stop.incarnation).copied().unwrap_or_default();
        let (scraped, logged) = (stop.scraped.named(), stop.logged.named());
        for (((name, told), (_, scraped)), (_, logged)) in
            answers.told.named().into_iter().zip(scraped).zip(logged)
        {
            let fits = (told..=told + answers.unanswered).contains(&logged);
            let metrics_fit =
                scraped <= logged && (stop.clients == Clients::Sending || told <= scraped);
            if !fits || !metrics_fit {
                let what = format!("{name}: {stop:?}, but the clients: {answers:?}");
                verdict.complain("miscounted", what);
            }
        }
    }
}

/// Reads the line `stopped: 8 accepted, 3 rejected, …; requests: 1 overloaded, …`.
pub(crate) fn read_log(stderr: &str) -> Counts {
    let (_, line) = stderr.rsplit_once("stopped: ").expect("it says what it did");
    let line = line.lines().next().unwrap_or_default();
    let find = |what: &str| {
        let part = line.split([',', ';', ':']).find_map(|part| part.trim().strip_suffix(what));
        part.map(|count| count.trim().parse().expect("a count is a number"))
    };
    let count = |what| find(what).unwrap_or_else(|| panic!("no count of {what} in {line:?}"));
    Counts {
        accepted: count("accepted"),
        // It is not there if there are none.
        quarantined: find("quarantined").unwrap_or(0),
        rejected: count("rejected"),
        failed: count("failed"),
        overloaded: count("overloaded"),
        rate_limited: count("rate limited"),
    }
}

/// Reads the same from the metrics.
pub(crate) fn read_metrics(text: &str) -> Counts {
    let find = |series: &str| {
        let series = format!("gametel_http_{series} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&*series));
        value.map(|value| value.parse().expect("a counter is a whole number"))
    };
    let events = |outcome| {
        let found = find(&format!("events_total{{outcome=\"{outcome}\"}}"));
        found.unwrap_or_else(|| panic!("no count of {outcome} in {text}"))
    };
    // A code is not there before its first use.
    let reasons = text.lines().filter(|line| line.starts_with("gametel_http_quarantined_total{"));
    let by_reason = reasons.map(|line| {
        let (_, value) = line.rsplit_once(' ').expect("a series has a value");
        value.parse::<u64>().expect("a counter is a whole number")
    });
    assert_eq!(by_reason.sum::<u64>(), events("quarantined"), "{text}");
    let refused = |code| find(&format!("refused_total{{code=\"{code}\"}}")).unwrap_or(0);
    Counts {
        accepted: events("accepted"),
        quarantined: events("quarantined"),
        rejected: events("rejected"),
        failed: events("failed"),
        overloaded: refused("overloaded"),
        rate_limited: refused("rate_limited"),
    }
}
