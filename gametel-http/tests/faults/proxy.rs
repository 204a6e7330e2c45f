//! A TCP proxy that does to connections what networks do. It waits on purpose: time is what it is
//! about.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::SockRef;

/// What happens to the bytes of all connections.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Weather {
    /// They pass.
    Clear,
    /// Each piece is late by `latency`, and by up to `jitter` more.
    Slow { latency: Duration, jitter: Duration },
    /// So many bytes a second pass, each way of each connection.
    Narrow { bytes_per_second: u32 },
    /// Nothing passes, and nobody is told; new connections are accepted and lead nowhere.
    BlackHole,
    /// What is sent to the server arrives, what it answers is lost.
    HalfOpen,
    /// A connection is reset in the midst of a stream, after so many bytes to the server.
    Resetting { after: u64 },
}

/// A proxy on a port of its own. When it is dropped all its connections end.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    weather: Weather,
    upstream: Option<SocketAddr>,
    random: fastrand::Rng,
    links: Vec<Weak<Link>>,
    ended: bool,
}

/// A connection through the proxy.
#[derive(Debug)]
struct Link {
    client: TcpStream,
    server: TcpStream,
    dead: AtomicBool,
    /// Bytes are missing in it: it can't go on.
    torn: AtomicBool,
    /// To the server.
    sent: AtomicU64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    ToServer,
    ToClient,
}

impl Proxy {
    /// How often a connection at rest looks at the weather.
    const GLANCE: Duration = Duration::from_millis(20);
    /// The largest piece that is passed on at once, and in narrow weather.
    const PIECE: usize = 64 * 1024;
    const NARROW_PIECE: usize = 1024;

    /// Listens on a free port; where it leads is told by [`lead_to`](Self::lead_to).
    pub(crate) fn start(seed: u64) -> Self {
        let socket = gametel_cluster::free_listener();
        let address = socket.local_addr().expect("it is bound");
        let state = State {
            weather: Weather::Clear,
            upstream: None,
            random: fastrand::Rng::with_seed(seed),
            links: Vec::new(),
            ended: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let listener = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || listen(&socket, &shared))
        };
        Self { address, shared, listener: Some(listener) }
    }

    pub(crate) fn lead_to(&self, upstream: SocketAddr) {
        self.shared.lock().upstream = Some(upstream);
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn set(&self, weather: Weather) {
        let mut state = self.shared.lock();
        state.weather = weather;
        if weather != Weather::HalfOpen {
            for link in state.links() {
                if link.torn.load(Ordering::Acquire) {
                    link.end();
                }
            }
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Ends all connections as a server does that closes them.
    pub(crate) fn cut(&self) {
        self.shared.lock().links().iter().for_each(|link| link.end());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.cut();
        self.shared.changed.notify_all();
        // Wakes the listener, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The weather, once it is no black hole; none if it is all over.
    fn passable(&self) -> Option<Weather> {
        let state = self.lock();
        let closed = |state: &mut State| state.weather == Weather::BlackHole && !state.ended;
        let state = self.changed.wait_while(state, closed).unwrap_or_else(PoisonError::into_inner);
        (!state.ended).then_some(state.weather)
    }

    /// Lets time pass, unless it is all over.
    fn wait(&self, time: Duration) {
        let state = self.lock();
        let waited = self.changed.wait_timeout_while(state, time, |state| !state.ended);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

impl State {
    fn links(&mut self) -> Vec<Arc<Link>> {
        self.links.retain(|link| link.strong_count() > 0);
        self.links.iter().filter_map(Weak::upgrade).collect()
    }
}

impl Link {
    fn end(&self) {
        self.dead.store(true, Ordering::Release);
        for stream in [&self.client, &self.server] {
            // The other side may have closed it before.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Ends it with a reset on both sides, once both of its threads have let go of it.
    fn reset(&self) {
        for stream in [&self.client, &self.server] {
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
        self.dead.store(true, Ordering::Release);
    }
}

fn listen(socket: &TcpListener, shared: &Arc<Shared>) {
    while let Ok((client, _)) = socket.accept() {
        if shared.lock().ended {
            return;
        }
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            // One that can't be connected is closed, as by a server that is not there.
            let _ = serve(client, &shared);
        });
    }
}

fn serve(client: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    let over = || io::Error::from(ErrorKind::NotConnected);
    shared.passable().ok_or_else(over)?;
    let upstream = shared.lock().upstream.ok_or_else(over)?;
    let server = TcpStream::connect(upstream)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Proxy::GLANCE))?;
    }
    let (dead, torn) = (AtomicBool::new(false), AtomicBool::new(false));
    let link = Arc::new(Link { client, server, dead, torn, sent: AtomicU64::new(0) });
    shared.lock().links.push(Arc::downgrade(&link));
    let back = {
        let (shared, link) = (Arc::clone(shared), Arc::clone(&link));
        std::thread::spawn(move || pump(&shared, &link, Way::ToClient))
    };
    pump(shared, &link, Way::ToServer);
    let _ = back.join();
    Ok(())
}

/// Passes bytes on, one way, until either side has ended.
fn pump(shared: &Shared, link: &Link, way: Way) {
    let mut buffer = vec![0; Proxy::PIECE];
    while let Some(weather) = shared.passable() {
        if link.dead.load(Ordering::Acquire) {
            return;
        }
        let narrow = matches!(weather, Weather::Narrow { .. });
        let piece = if narrow { Proxy::NARROW_PIECE } else { Proxy::PIECE };
        let (mut from, _) = way.ends(link);
        match from.read(&mut buffer[..piece]) {
            Ok(0) => break,
            Ok(bytes) => {
                if pass(shared, link, way, &buffer[..bytes]).is_err() {
                    break;
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    if !link.dead.load(Ordering::Acquire) {
        link.end();
    }
}

/// Passes one piece on, in the weather that has come by now.
fn pass(shared: &Shared, link: &Link, way: Way, piece: &[u8]) -> io::Result<()> {
    let (_, mut to) = way.ends(link);
    let weather = shared.passable().ok_or(ErrorKind::NotConnected)?;
    match weather {
        Weather::HalfOpen if way == Way::ToClient => {
            link.torn.store(true, Ordering::Release);
            return Ok(());
        }
        Weather::Slow { latency, jitter } => {
            let jitter = jitter.mul_f64(shared.lock().random.f64());
            shared.wait(latency + jitter);
        }
        Weather::Narrow { bytes_per_second } => {
            shared.wait(Duration::from_secs_f64(piece.len() as f64 / f64::from(bytes_per_second)));
        }
        Weather::Resetting { after } if way == Way::ToServer => {
            let before = link.sent.fetch_add(piece.len() as u64, Ordering::AcqRel);
            let left = usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX);
            if left < piece.len() {
                to.write_all(&piece[..left])?;
                link.reset();
                return Ok(());
            }
        }
        _ => {}
    }
    // What was waiting when bytes were lost can't follow them.
    if way == Way::ToClient && link.torn.load(Ordering::Acquire) {
        return Err(ErrorKind::ConnectionAborted.into());
    }
    to.write_all(piece)
}

impl Way {
    fn ends(self, link: &Link) -> (&TcpStream, &TcpStream) {
        match self {
            Self::ToServer => (&link.client, &link.server),
            Self::ToClient => (&link.server, &link.client),
        }
    }
}
