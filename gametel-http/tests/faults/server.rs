//! A real server process that comes back at its address, whatever ends it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::judge::Verdict;
use crate::ledger::{Ledger, Progress};
use crate::support::Process;

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) progress: Arc<Progress>,
    arguments: Vec<String>,
    process: Option<Process>,
    stops: Vec<Stop>,
}

/// An orderly end: what an incarnation says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) incarnation: u64,
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
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
        self.process = Some(Process::start_at(self.address, &arguments));
    }

    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().expect("there is one to kill");
        process.kill();
        let (code, stderr) = process.wait();
        assert_eq!(code, None, "it ended before it was killed: {stderr}");
    }

    /// Stops it with SIGTERM, which has to go well.
    pub(crate) fn stop(&mut self) {
        let process = self.process.take().expect("there is one to stop");
        process.terminate();
        let (code, stderr) = process.wait();
        assert_eq!(code, Some(0), "{stderr}");
        let incarnation = self.progress.incarnation.load(Ordering::Acquire);
        self.stops.push(Stop::read(incarnation, &stderr));
    }

    /// The most memory that it has had, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let id = self.process.as_ref().expect("it runs").id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.expect("Linux says how much it was") * 1024
    }

    /// Compares what the server's incarnations counted with what their clients were told.
    pub(crate) fn check_counters(&self, ledger: &Ledger, verdict: &mut Verdict) {
        check_counters(&self.stops, ledger, verdict);
    }

    pub(crate) fn stops(&self) -> usize {
        self.stops.len()
    }
}

/// An event may have been counted whose answer did not arrive; nothing else makes a difference.
pub(crate) fn check_counters(stops: &[Stop], ledger: &Ledger, verdict: &mut Verdict) {
    for stop in stops {
        let told = ledger.answers.get(&stop.incarnation).copied().unwrap_or_default();
        let fits =
            |counted: u64, told_of: u64| (told_of..=told_of + told.unanswered).contains(&counted);
        if !fits(stop.accepted, told.accepted) || !fits(stop.rejected, told.rejected) {
            verdict.complain("miscounted", format!("{stop:?}, but the clients: {told:?}"));
        }
    }
}

impl Stop {
    /// Reads `stopped: 8 accepted, 3 rejected, …`.
    fn read(incarnation: u64, stderr: &str) -> Self {
        let (_, line) = stderr.rsplit_once("stopped: ").expect("it says what it did");
        let count = |what: &str| {
            let part = line.split(", ").find_map(|part| part.trim().strip_suffix(what));
            let count = part.and_then(|count| count.trim().parse().ok());
            count.unwrap_or_else(|| panic!("no count of {what} in {line:?}"))
        };
        Self { incarnation, accepted: count("accepted"), rejected: count("rejected") }
    }
}
