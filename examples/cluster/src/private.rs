use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Absence, or_skip, ports::free_port, start, unique};

/// A real Kafka broker of a test's own, which the test can kill, freeze and start again.
///
/// When it is dropped, the broker is killed and its data is deleted. It also ends soon after the
/// test program, however that ends.
#[derive(Debug)]
pub struct PrivateKafka {
    settings: Vec<(&'static str, String)>,
    address: SocketAddr,
    runs: PathBuf,
}

impl PrivateKafka {
    /// Starts one on free ports of loopback, and waits until it works.
    ///
    /// `None` means that `test` is to be skipped; the reason has been printed.
    ///
    /// # Panics
    ///
    /// If the broker does not start, and if it cannot be had at all while `CI` is set.
    #[must_use]
    pub fn start(test: &str) -> Option<Self> {
        Self::start_on(test, None, "")
    }

    /// Starts one as [`start`](Self::start) does, with further settings of the broker, one a line as
    /// `NAME=VALUE`. They go before its own, so that it can have other listeners beside its first,
    /// which must stay: `PLAINTEXT://127.0.0.1:@GAMETEL_KAFKA_PORT@` and
    /// `CONTROLLER://127.0.0.1:@GAMETEL_KAFKA_CONTROLLER_PORT@`, word for word.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start) does, and if the settings can't be written down.
    #[must_use]
    pub fn start_with(test: &str, further: &str) -> Option<Self> {
        Self::start_on(test, None, further)
    }

    /// Starts one as [`start`](Self::start) does, that sends its clients to `proxy`, a port of
    /// loopback: whoever finds it there goes through the proxy for good.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start) does.
    #[must_use]
    pub fn start_behind(test: &str, proxy: u16) -> Option<Self> {
        Self::start_on(test, Some(proxy), "")
    }

    fn start_on(test: &str, proxy: Option<u16>, further: &str) -> Option<Self> {
        let (port, controller) = (free_port(), free_port());
        let runs = env::temp_dir().join(unique("gametel-kafka"));
        let mut settings = vec![
            ("GAMETEL_KAFKA_PORT", port.to_string()),
            ("GAMETEL_KAFKA_CONTROLLER_PORT", controller.to_string()),
            ("GAMETEL_KAFKA_ADVERTISED_PORT", proxy.unwrap_or(port).to_string()),
            ("GAMETEL_CLUSTER_RUNS", runs.display().to_string()),
        ];
        if !further.is_empty() {
            let path = runs.join("further.properties");
            fs::create_dir_all(&runs)
                .and_then(|()| fs::write(&path, further))
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            settings.push(("GAMETEL_KAFKA_SETTINGS", path.display().to_string()));
        }
        let kafka = Self { settings, address: SocketAddr::from(([127, 0, 0, 1], port)), runs };
        or_skip(test, &kafka.up())?;
        Some(kafka)
    }

    /// Where the broker itself listens, proxy or no proxy.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends SIGKILL, and waits until the broker is gone. Its data stays.
    ///
    /// # Panics
    ///
    /// If there is no broker, or it does not end.
    pub fn kill(&self) {
        let pid = self.pid();
        signal("KILL", pid);
        let deadline = Instant::now() + Duration::from_secs(30);
        while is_alive(pid) {
            assert!(Instant::now() < deadline, "the broker {pid} does not end, though killed");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Starts the broker again after [`kill`](Self::kill), on its port and with its data, and waits
    /// until it works.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn restart(&self) {
        self.up().unwrap_or_else(|absence| panic!("the broker does not come back: {absence:?}"));
    }

    /// Sends SIGSTOP: its connections stay, and nothing comes back from them.
    ///
    /// # Panics
    ///
    /// If there is no broker.
    pub fn freeze(&self) {
        signal("STOP", self.pid());
    }

    /// Sends SIGCONT, which ends [`freeze`](Self::freeze).
    ///
    /// # Panics
    ///
    /// If there is no broker.
    pub fn thaw(&self) {
        signal("CONT", self.pid());
    }

    fn up(&self) -> Result<String, Absence> {
        start("kafka", &self.settings)
    }

    /// The broker's process, as the script has noted it: `broker PID START_TIME`.
    fn pid(&self) -> u32 {
        let path = self.runs.join("kafka/processes");
        let noted = fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("there is no broker: {}: {error}", path.display());
        });
        let pid = noted.split_whitespace().nth(1).and_then(|pid| pid.parse().ok());
        pid.unwrap_or_else(|| panic!("{} names no process: {noted:?}", path.display()))
    }
}

impl Drop for PrivateKafka {
    fn drop(&mut self) {
        // One that is frozen or stubborn would else be waited for. It may be dead already.
        if let Ok(noted) = fs::read_to_string(self.runs.join("kafka/processes"))
            && let Some(pid) = noted.split_whitespace().nth(1)
        {
            let _ = Command::new("kill").args(["-KILL", pid]).stderr(Stdio::null()).status();
        }
        let _ = fs::remove_file(self.runs.join("further.properties"));
        // What fails here is done by the script's own watcher, once the test program has ended.
        let settings = self.settings.iter().map(|(name, value)| (name, value));
        let _ = Command::new("bash")
            .args([super::script().as_os_str(), "down".as_ref()])
            .envs(settings)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "SIG{name} can't be sent to {pid}");
}

/// Whether a process is there. A zombie is not, unless some of its threads still are on their way
/// out, and hold its ports.
fn is_alive(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    let state = stat.rsplit(") ").next().unwrap_or_default();
    let threads = fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    !state.starts_with(['Z', 'X']) || threads > 1
}
