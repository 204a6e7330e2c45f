//! The memory of a whole run of `gametel-batch`: the real binary over a real Kafka, as the system counts it.
//!
//! Prints the peak of the resident set, and fails where it is above the budget. Linux alone has it in
//! a form that needs no privileges.
//!
//! ```sh
//! cargo bench -p gametel-benches --bench batch_memory             # 20 partitions of a million events
//! cargo bench -p gametel-benches --bench batch_memory -- --test   # a small one
//! ```

#![allow(clippy::print_stdout, reason = "a bench talks to the person who runs it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gametel_core::testing::EventGenerator;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

/// What a run may take, in bytes and as the option has it. The small run has as many datasets.
const BUDGET: (u64, &str) = (256 * 1024 * 1024, "256MiB");

/// How many different events there are: with any fewer, pages would compress better than real ones.
const DIFFERENT: usize = 20_000;

/// How often the peak is read. It only grows, so that no more is missed than the last moment.
const POLL: Duration = Duration::from_millis(10);

fn main() {
    let small = std::env::args().any(|argument| argument == "--test");
    let (partitions, events) = if small { (4, 50_000) } else { (20, 1_000_000) };
    let Some(brokers) = gametel_cluster::kafka("batch_memory") else {
        return;
    };
    let binary = build();
    let topic = gametel_cluster::unique("batch-memory");
    let url = format!("kafka://{brokers}/{topic}");
    let ensured = Command::new(&binary)
        .args(["topic", "ensure", &url, "--partitions", &partitions.to_string()])
        .stdout(Stdio::null())
        .status();
    assert!(ensured.expect("the binary starts").success());
    produce(&brokers, &topic, partitions, events);

    let started = Instant::now();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let peak = run(&binary, &url, folder.path());
    let (seconds, mebibytes) = (started.elapsed().as_secs_f64(), peak as f64 / 1_048_576.0);
    println!(
        "batch_memory: {partitions} partitions of {events} events: peak RSS {mebibytes:.1} MiB of {} in {seconds:.1} s",
        BUDGET.1
    );
    assert!(peak > 0 && peak <= BUDGET.0, "the run took more than its budget");
}

/// The binary of the workspace as it is now, built as this bench is.
fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--locked", "-p", "gametel-batch"])
        .status();
    assert!(built.expect("cargo starts").success(), "gametel-batch can't be built");
    let bench = std::env::current_exe().expect("this program has a path");
    let release = bench.parent().and_then(Path::parent).expect("it is in release/deps");
    release.join("gametel-batch")
}

fn produce(brokers: &str, topic: &str, partitions: i32, events: usize) {
    let payloads: Vec<_> = EventGenerator::new(1).take(DIFFERENT).collect();
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("compression.type", "lz4")
        .set("linger.ms", "50")
        .create()
        .expect("a producer");
    for number in 0..events {
        for partition in 0..partitions {
            let place = (number * 20 + usize::try_from(partition).unwrap_or(0)) % DIFFERENT;
            let mut record = BaseRecord::<(), [u8]>::to(topic)
                .partition(partition)
                .payload(payloads[place].payload());
            while let Err((error, refused)) = producer.send(record) {
                let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
                assert_eq!(error, full, "the broker takes no events");
                producer.poll(Duration::from_millis(10));
                record = refused;
            }
        }
        producer.poll(Duration::ZERO);
    }
    producer.flush(Duration::from_secs(120)).expect("the broker has all");
}

/// Runs the job to its end, and gives the most memory that it had.
fn run(binary: &Path, source: &str, output: &Path) -> u64 {
    let mut child = Command::new(binary)
        .args(["run", "--json", "--memory", BUDGET.1, "--source", source, "--output"])
        .arg(output)
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut peak = 0;
    loop {
        if let Some(status) = child.try_wait().expect("the binary can be waited for") {
            assert!(status.success(), "the run failed");
            return peak;
        }
        peak = peak_of(child.id()).unwrap_or(peak);
        std::thread::sleep(POLL);
    }
}

/// `VmHWM` of a process that is still there.
fn peak_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
