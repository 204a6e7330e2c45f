use std::borrow::Cow;
use std::fmt;

/// Something that must work for events to be durable, and can say whether it does.
///
/// The server asks for each answer of `/healthz/ready` and each scrape of its metrics, so that
/// [`check`](Self::check) must be cheap, and must not block: a probe that has to do I/O does it in
/// a task of its own, and says here what it found last. Given to the server by
/// [`Monitor::with_probe`](crate::Monitor::with_probe).
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use gametel_http::{Condition, Monitor, Probe, RouteOptions};
///
/// #[derive(Debug, Default)]
/// struct Licence {
///     ended: AtomicBool,
/// }
///
/// impl Probe for Licence {
///     fn name(&self) -> &str {
///         "licence"
///     }
///
///     fn check(&self) -> Condition {
///         if self.ended.load(Ordering::Relaxed) {
///             Condition::Down("the licence has ended".into())
///         } else {
///             Condition::Up
///         }
///     }
/// }
///
/// let licence = Arc::new(Licence::default());
/// let monitor = Monitor::default().with_probe(licence.clone());
/// let options = RouteOptions::default().with_monitor(monitor);
/// ```
pub trait Probe: fmt::Debug + Send + Sync + 'static {
    /// What is looked at, as one word in snake_case; the same each time, and no other probe's, nor
    /// `server`, `writes`, `kafka` or `spool`. It stands in answers and in the label of a metric.
    fn name(&self) -> &str;

    /// How it is now.
    fn check(&self) -> Condition;
}

/// How something is that events depend on.
///
/// A reason is for a person who runs the server: it stands in the log, and in the answer of
/// `/healthz/ready` on the [admin listener](crate::ServerConfig::admin_listen) alone. No secrets, all
/// the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// All is well, as far as is known.
    Up,
    /// Something is wrong, but events can be made durable: the server is ready, and says so.
    Degraded(Cow<'static, str>),
    /// Events can't be made durable: the server is not ready.
    Down(Cow<'static, str>),
}
