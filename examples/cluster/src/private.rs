use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
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
    service: Private,
    address: SocketAddr,
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
        let port = free_port();
        let settings = vec![
            ("GAMETEL_KAFKA_PORT", port.to_string()),
            ("GAMETEL_KAFKA_CONTROLLER_PORT", free_port().to_string()),
            ("GAMETEL_KAFKA_ADVERTISED_PORT", proxy.unwrap_or(port).to_string()),
        ];
        let mut service = Private::new("kafka", "broker", settings);
        if !further.is_empty() {
            let path = service.runs.join(FURTHER);
            fs::create_dir_all(&service.runs)
                .and_then(|()| fs::write(&path, further))
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            service.settings.push(("GAMETEL_KAFKA_SETTINGS", path.display().to_string()));
        }
        let service = service.start(test)?;
        Some(Self { service, address: SocketAddr::from(([127, 0, 0, 1], port)) })
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
        self.service.kill();
    }

    /// Starts the broker again after [`kill`](Self::kill), on its port and with its data, and waits
    /// until it works.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn restart(&self) {
        self.service.restart();
    }

    /// Sends SIGSTOP: its connections stay, and nothing comes back from them.
    ///
    /// # Panics
    ///
    /// If there is no broker.
    pub fn freeze(&self) {
        signal("STOP", self.service.pid());
    }

    /// Sends SIGCONT, which ends [`freeze`](Self::freeze).
    ///
    /// # Panics
    ///
    /// If there is no broker.
    pub fn thaw(&self) {
        signal("CONT", self.service.pid());
    }
}

/// A real HDFS of a test's own, whose NameNode the test can kill, freeze and start again.
///
/// When it is dropped, it is killed and its data is deleted. It also ends soon after the test
/// program, however that ends.
#[derive(Debug)]
pub struct PrivateHdfs {
    service: Private,
    url: String,
    /// Where the NameNode speaks HTTP.
    http: SocketAddr,
}

impl PrivateHdfs {
    /// Starts one on free ports of loopback, and waits until it works.
    ///
    /// `None` means that `test` is to be skipped; the reason has been printed.
    ///
    /// # Panics
    ///
    /// If it does not start, and if it cannot be had at all while `CI` is set.
    #[must_use]
    pub fn start(test: &str) -> Option<Self> {
        let (port, http) = (free_port(), free_port());
        let settings = vec![
            ("GAMETEL_HDFS_PORT", port.to_string()),
            ("GAMETEL_HDFS_HTTP_PORT", http.to_string()),
            ("GAMETEL_HDFS_DATANODE_PORT", free_port().to_string()),
            ("GAMETEL_HDFS_DATANODE_IPC_PORT", free_port().to_string()),
            ("GAMETEL_HDFS_DATANODE_HTTP_PORT", free_port().to_string()),
        ];
        let service = Private::new("hdfs", "namenode", settings).start(test)?;
        let http = SocketAddr::from(([127, 0, 0, 1], http));
        Some(Self { service, url: format!("hdfs://127.0.0.1:{port}"), http })
    }

    /// Its URL, say `hdfs://127.0.0.1:20001`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends SIGKILL to the NameNode, and waits until it is gone. Its data stays.
    ///
    /// # Panics
    ///
    /// If there is none, or it does not end.
    pub fn kill(&self) {
        self.service.kill();
    }

    /// Starts it again after [`kill`](Self::kill), on its port and with its data, and waits until a
    /// file can be written.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn restart(&self) {
        self.service.restart();
    }

    /// Sends SIGSTOP to the NameNode: its connections stay, and nothing comes back from them.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn freeze(&self) {
        signal("STOP", self.service.pid());
    }

    /// Sends SIGCONT, which ends [`freeze`](Self::freeze).
    ///
    /// # Panics
    ///
    /// If there is no NameNode.
    pub fn thaw(&self) {
        signal("CONT", self.service.pid());
    }

    /// Whether there is a file or a folder, asked for in some milliseconds.
    ///
    /// # Panics
    ///
    /// If the NameNode does not answer.
    #[must_use]
    pub fn exists(&self, path: &str) -> bool {
        let (http, mut answer) = (self.http, String::new());
        let ask =
            format!("GET /webhdfs/v1{path}?op=GETFILESTATUS HTTP/1.0\r\nHost: {http}\r\n\r\n");
        TcpStream::connect(http)
            .and_then(|mut stream| {
                stream.write_all(ask.as_bytes())?;
                stream.read_to_string(&mut answer)
            })
            .expect("the NameNode answers");
        answer.lines().next().is_some_and(|status| status.contains(" 200 "))
    }

    /// Runs Hadoop's `FsShell`, as the superuser, and gives what it printed.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub fn fs(&self, arguments: &[&str]) -> String {
        self.service.tool("fs", arguments)
    }

    /// Runs Hadoop's `DFSAdmin`, as the superuser, and gives what it printed.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub fn dfsadmin(&self, arguments: &[&str]) -> String {
        self.service.tool("dfsadmin", arguments)
    }
}

/// The file of a broker's further settings.
const FURTHER: &str = "further.properties";

/// A service beside the one that tests share, in a folder and on ports of its own.
#[derive(Debug)]
struct Private {
    name: &'static str,
    /// The process that is killed and frozen.
    process: &'static str,
    settings: Vec<(&'static str, String)>,
    runs: PathBuf,
}

impl Private {
    fn new(
        name: &'static str,
        process: &'static str,
        mut settings: Vec<(&'static str, String)>,
    ) -> Self {
        let runs = env::temp_dir().join(unique(&format!("gametel-{name}")));
        settings.push(("GAMETEL_CLUSTER_RUNS", runs.display().to_string()));
        Self { name, process, settings, runs }
    }

    fn start(self, test: &str) -> Option<Self> {
        or_skip(test, &self.up())?;
        Some(self)
    }

    fn up(&self) -> Result<String, Absence> {
        start(self.name, &self.settings)
    }

    fn kill(&self) {
        let (process, pid) = (self.process, self.pid());
        signal("KILL", pid);
        let deadline = Instant::now() + Duration::from_secs(30);
        while is_alive(pid) {
            assert!(Instant::now() < deadline, "the {process} {pid} does not end, though killed");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn restart(&self) {
        let process = self.process;
        self.up().unwrap_or_else(|absence| panic!("the {process} does not come back: {absence:?}"));
    }

    fn tool(&self, verb: &str, arguments: &[&str]) -> String {
        let output = self.command(verb).args(arguments).output().expect("bash runs");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{verb} {arguments:?}: {stdout}{stderr}");
        stdout
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new("bash");
        command.arg(super::script()).arg(verb).stdin(Stdio::null());
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The processes, as the script has noted them: `NAME PID START_TIME`.
    fn pids(&self) -> Vec<(String, u32)> {
        let noted = fs::read_to_string(self.runs.join(self.name).join("processes"));
        let pid_of = |line: &str| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
        };
        noted.unwrap_or_default().lines().filter_map(pid_of).collect()
    }

    fn pid(&self) -> u32 {
        let process = self.process;
        let found = self.pids().into_iter().find(|(name, _)| name == process);
        found.unwrap_or_else(|| panic!("there is no {process} in {}", self.runs.display())).1
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // One that is frozen or stubborn would else be waited for. It may be dead already.
        for (_, pid) in self.pids() {
            let pid = pid.to_string();
            let _ = Command::new("kill").args(["-KILL", &pid]).stderr(Stdio::null()).status();
        }
        let _ = fs::remove_file(self.runs.join(FURTHER));
        // What fails here is done by the script's own watcher, once the test program has ended.
        let _ = self.command("down").stderr(Stdio::null()).status();
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
