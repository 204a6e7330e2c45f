use std::fmt;

use procfs::process::Process;
use procfs::{boot_time_secs, page_size, ticks_per_second};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// The process as the system sees it, under the names that all of Prometheus' clients have for it.
#[derive(Debug)]
pub(super) struct ProcessCollector;

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        // Without /proc, or with one that hides things, there is less to show.
        let Ok(process) = Process::myself() else {
            return Ok(());
        };
        let mut gauge = |name: &str, unit: Option<Unit>, help: &str, value: f64| {
            let gauge = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
            ConstGauge::new(value).encode(gauge)
        };
        let help = "Open file descriptors";
        if let Ok(open) = process.fd_count() {
            gauge("process_open_fds", None, help, open as f64)?;
        }
        let Ok(stat) = process.stat() else {
            return Ok(());
        };
        let (ticks, seconds) = (ticks_per_second() as f64, Some(Unit::Seconds));
        let (help, memory) = ("Memory in use", stat.rss.saturating_mul(page_size()));
        gauge("process_resident_memory", Some(Unit::Bytes), help, memory as f64)?;
        let help = "When the process started, since the Unix epoch";
        if let Ok(boot) = boot_time_secs() {
            let started = boot as f64 + stat.starttime as f64 / ticks;
            gauge("process_start_time", seconds.clone(), help, started)?;
        }
        let cpu = (stat.utime + stat.stime) as f64 / ticks;
        let (name, help) = ("process_cpu", "Time of processors that was used");
        let counter =
            encoder.encode_descriptor(name, help, seconds.as_ref(), MetricType::Counter)?;
        ConstCounter::new(cpu).encode(counter)
    }
}
