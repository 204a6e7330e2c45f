use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_gametel-http");

/// How long to wait for what is to come. It is there at once, on a machine that has time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `gametel-http serve`, on a free port.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    /// The lines of stderr, as they come.
    lines: Receiver<String>,
    /// Those that came by now.
    said: String,
}

impl Process {
    /// Starts it and waits until it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::spawn(arguments, Stdio::null())
    }

    /// Starts it as [`start`](Self::start) does, and gives its stdout to read.
    pub(crate) fn start_with_stdout(arguments: &[&str]) -> (Self, ChildStdout) {
        let mut process = Self::spawn(arguments, Stdio::piped());
        let stdout = process.child.stdout.take().expect("stdout is piped");
        (process, stdout)
    }

    /// Starts it as [`start`](Self::start) does, where it may have only so many open files.
    pub(crate) fn start_with_few_files(files: u32, arguments: &[&str]) -> Self {
        let script = format!("ulimit -n {files}; exec \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh", BINARY]);
        Self::spawn_command(command, arguments, Stdio::null())
    }

    /// Starts it as [`start`](Self::start) does, on a port that it has had before.
    pub(crate) fn start_at(address: SocketAddr, arguments: &[&str]) -> Self {
        let listen = address.to_string();
        Self::spawn_listening(Command::new(BINARY), &listen, arguments, Stdio::null())
    }

    fn spawn(arguments: &[&str], stdout: Stdio) -> Self {
        Self::spawn_command(Command::new(BINARY), arguments, stdout)
    }

    fn spawn_command(command: Command, arguments: &[&str], stdout: Stdio) -> Self {
        Self::spawn_listening(command, "127.0.0.1:0", arguments, stdout)
    }

    fn spawn_listening(
        mut command: Command,
        listen: &str,
        arguments: &[&str],
        stdout: Stdio,
    ) -> Self {
        let mut child = clean(&mut command)
            .args(["serve", "--listen", listen])
            .args(arguments)
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stderr = BufReader::new(child.stderr.take().expect("stderr is piped"));
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            // A test that has ended does not listen any more.
            stderr.lines().map_while(Result::ok).try_for_each(|line| send.send(line))
        });
        let address = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut process = Self { child, address, lines, said: String::new() };
        let line = process.wait_for("listening on http");
        let (_, rest) = line.split_once("://").expect("it was waited for");
        let end = rest.find([' ', '"']).unwrap_or(rest.len());
        process.address = rest[..end].parse().expect("an address follows");
        process
    }

    /// Runs it to its end, and gives its code and what it printed.
    pub(crate) fn run(arguments: &[&str]) -> Output {
        Self::run_in(Path::new("."), &[], arguments)
    }

    /// Runs it as [`run`](Self::run) does, in a folder, with variables.
    pub(crate) fn run_in(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        let mut child = clean(&mut Command::new(BINARY))
            .current_dir(folder)
            .envs(variables.iter().copied())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        // Read as they come: a full pipe would stop it for good.
        let stdout = read_all(child.stdout.take().expect("stdout is piped"));
        let stderr = read_all(child.stderr.take().expect("stderr is piped"));
        let Some(status) = ended(&mut child) else {
            let said = stderr.join().expect("reading does not panic");
            let said = String::from_utf8_lossy(&said);
            panic!("{arguments:?} still ran after {PATIENCE:?}\n{said}");
        };
        Output {
            status,
            stdout: stdout.join().expect("reading does not panic"),
            stderr: stderr.join().expect("reading does not panic"),
        }
    }

    /// Waits for a line on stderr that has `text` in it.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.said.push_str(&line);
                    self.said.push('\n');
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(error) => panic!("it never said {text:?}: {error}\n{}", self.said),
            }
        }
    }

    /// Where its admin listener is, which it must have been told to have.
    pub(crate) fn admin(&self) -> SocketAddr {
        let (_, rest) = self.said.split_once("admin requests on http://").expect("it has one");
        let end = rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len());
        rest[..end].parse().expect("an address follows")
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it has ever had, in bytes.
    pub(crate) fn peak_memory(&self) -> usize {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("the system tells of its processes");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kilobytes.and_then(|number| number.parse::<usize>().ok()).expect("a number of kB") * 1024
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Sends SIGHUP.
    pub(crate) fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Sends SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("the process is there to be killed");
    }

    /// Waits for its end, and gives its exit code and stderr.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let ended = ended(&mut self.child);
        for line in self.lines.iter() {
            self.said.push_str(&line);
            self.said.push('\n');
        }
        let Some(status) = ended else {
            panic!("it still ran after {PATIENCE:?}\n{}", self.said);
        };
        (status.code(), std::mem::take(&mut self.said))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // After `wait` there is nothing left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for the end of a process. One that does not end in time is killed, and has no status.
fn ended(child: &mut Child) -> Option<ExitStatus> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            return Some(status);
        }
        if Instant::now() > deadline {
            child.kill().expect("it has not ended");
            child.wait().expect("it is our child");
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn read_all(mut stream: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("a pipe can be read");
        bytes
    })
}

/// Takes away what the machine has set: the tests are about the arguments.
fn clean(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("GAMETEL_") || text == "RUST_LOG" {
            command.env_remove(&name);
        }
    }
    command.stdin(Stdio::null())
}
