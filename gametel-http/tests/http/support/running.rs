use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use gametel_core::catalog::Catalog;
use gametel_core::sink::EventSink;
use gametel_http::{RunSummary, ServeError, Server, ServerConfig, ServerHandle};
use tokio::sync::oneshot;

/// A server within the test's own process, with the catalog `game` on a free port.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) handle: ServerHandle,
    shutdown: Option<oneshot::Sender<()>>,
    thread: JoinHandle<Result<RunSummary, ServeError>>,
}

impl Running {
    pub(crate) fn start(sink: Arc<dyn EventSink>, config: ServerConfig) -> Self {
        let (shutdown, told) = oneshot::channel();
        let (ready, address) = std::sync::mpsc::channel();
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let config = config.with_listen(listen);
                let server = Server::bind(config, Catalog::game(), sink).await.unwrap();
                ready.send((server.local_addr(), server.admin_addr(), server.handle())).unwrap();
                // A test that ends early drops its end, which stops the server too.
                server.run(async { told.await.unwrap_or_default() }).await
            })
        });
        let (address, admin, handle) = address.recv().expect("the server binds");
        Self { address, admin, handle, shutdown: Some(shutdown), thread }
    }

    /// Tells the server to stop.
    pub(crate) fn stop(&mut self) {
        let shutdown = self.shutdown.take().expect("a server is stopped once");
        shutdown.send(()).expect("the server runs until it is stopped");
    }

    /// Waits for the server's end.
    pub(crate) fn wait(self) -> Result<RunSummary, ServeError> {
        self.thread.join().expect("the server does not panic")
    }
}
