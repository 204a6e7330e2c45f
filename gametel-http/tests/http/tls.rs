//! TLS: the handshake, its failures, and a certificate that changes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gametel_core::catalog::Catalog;
use gametel_core::sink::MemorySink;
use gametel_http::{BindError, Server, ServerConfig, TlsOptions};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use crate::support::{Client, Running};

/// A certificate's and a key's file, in a folder of their own.
struct Files {
    directory: tempfile::TempDir,
}

impl Files {
    fn new(made: &CertifiedKey<KeyPair>) -> Self {
        let files = Self { directory: tempfile::tempdir().unwrap() };
        files.write(made);
        files
    }

    fn write(&self, made: &CertifiedKey<KeyPair>) {
        std::fs::write(self.certificate(), made.cert.pem()).unwrap();
        std::fs::write(self.key(), made.signing_key.serialize_pem()).unwrap();
    }

    fn certificate(&self) -> PathBuf {
        self.directory.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.directory.path().join("key.pem")
    }

    fn options(&self) -> TlsOptions {
        TlsOptions::new(self.certificate(), self.key())
    }
}

fn certificate() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

fn start(options: TlsOptions) -> Running {
    let config =
        ServerConfig::default().with_tls(options).with_header_timeout(Duration::from_millis(500));
    Running::start(Arc::new(MemorySink::new()), config)
}

/// A client that trusts one certificate, and may have one of its own.
fn trusting(
    trusted: &CertificateDer<'static>,
    own: Option<&CertifiedKey<KeyPair>>,
    versions: &[&'static SupportedProtocolVersion],
    alpn: &str,
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some(own) => {
            let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
            builder.with_client_auth_cert(vec![own.cert.der().clone()], key).unwrap()
        }
    };
    config.alpn_protocols = vec![alpn.into()];
    Arc::new(config)
}

fn connect(address: SocketAddr, config: Arc<ClientConfig>) -> Client {
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(config, name).unwrap();
    let socket = Client::socket(address).unwrap();
    Client::over(socket, |socket| StreamOwned::new(session, socket)).unwrap()
}

fn client(address: SocketAddr, trusted: &CertifiedKey<KeyPair>) -> Client {
    connect(address, trusting(trusted.cert.der(), None, &[&TLS13], "http/1.1"))
}

#[test]
fn both_versions_of_tls_serve_http_1() {
    let made = certificate();
    let files = Files::new(&made);
    let server = start(files.options());
    for version in [&TLS12, &TLS13] {
        let config = trusting(made.cert.der(), None, &[version], "http/1.1");
        let mut client = connect(server.address, config);
        for _ in 0..2 {
            assert_eq!(client.get("/purchase_a_sword").unwrap().body, "Sword Purchased!\n");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_offers_http_2_gets_it() {
    let made = certificate();
    let files = Files::new(&made);
    let server = start(files.options());
    let connector = TlsConnector::from(trusting(made.cert.der(), None, &[&TLS13], "h2"));
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = connector.connect(name, stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let stream = TokioIo::new(stream);
    let (mut send, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get("https://localhost/purchase_a_sword");
    let response = send.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "Sword Purchased!\n");
}

#[test]
fn a_handshake_that_fails_disturbs_nobody() {
    let made = certificate();
    let files = Files::new(&made);
    let server = start(files.options());
    let mut good = client(server.address, &made);
    assert_eq!(good.get("/").unwrap().status, 200);
    // In the clear, nonsense, nothing at all, and one who does not trust the certificate.
    for sent in [&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], b"\x16\x03\x01\x02\x00\x01", b""] {
        let mut bad = Client::connect(server.address).unwrap();
        bad.send(sent).unwrap();
        let _ = bad.reply();
        assert!(bad.is_closed(), "{sent:?}");
    }
    assert!(client(server.address, &certificate()).get("/").is_err());
    assert_eq!(client(server.address, &made).get("/").unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_gives_new_connections_the_new_certificate() {
    let (old, new) = (certificate(), certificate());
    let files = Files::new(&old);
    let server = start(files.options());
    let mut open = client(server.address, &old);
    assert_eq!(open.get("/").unwrap().status, 200);
    files.write(&new);
    server.handle.reload().await;
    assert_eq!(open.get("/").unwrap().status, 200);
    assert_eq!(client(server.address, &new).get("/").unwrap().status, 200);
    assert!(client(server.address, &old).get("/").is_err());

    // A certificate without its key, as between the two writes of a renewal, and none at all.
    std::fs::write(files.certificate(), old.cert.pem()).unwrap();
    server.handle.reload().await;
    assert_eq!(client(server.address, &new).get("/").unwrap().status, 200);
    std::fs::write(files.certificate(), "").unwrap();
    server.handle.reload().await;
    assert_eq!(client(server.address, &new).get("/").unwrap().status, 200);
    assert_eq!(open.get("/").unwrap().status, 200);
}

#[test]
fn with_client_roots_a_client_needs_a_certificate() {
    let (made, known) = (certificate(), certificate());
    let files = Files::new(&made);
    let roots = files.directory.path().join("roots.pem");
    std::fs::write(&roots, known.cert.pem()).unwrap();
    let server = start(files.options().with_client_roots(roots));
    let get = |own: Option<&CertifiedKey<KeyPair>>| {
        let config = trusting(made.cert.der(), own, &[&TLS13], "http/1.1");
        connect(server.address, config).get("/")
    };
    assert_eq!(get(Some(&known)).unwrap().status, 200);
    assert!(get(Some(&certificate())).is_err());
    assert!(get(None).is_err());
}

#[tokio::test]
async fn files_that_are_no_identity_are_refused_at_the_start() {
    let (made, other) = (certificate(), certificate());
    let files = Files::new(&made);
    let bind = async || {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let config = ServerConfig::default().with_listen(listen).with_tls(files.options());
        Server::bind(config, Catalog::game(), Arc::new(MemorySink::new())).await
    };
    assert_eq!(bind().await.unwrap().url().split("://").next(), Some("https"));
    std::fs::write(files.key(), other.signing_key.serialize_pem()).unwrap();
    assert!(matches!(bind().await, Err(BindError::Tls(_))));
    std::fs::write(files.key(), "no key").unwrap();
    assert!(matches!(bind().await, Err(BindError::Tls(_))));
    files.write(&made);
    std::fs::remove_file(files.certificate()).unwrap();
    assert!(matches!(bind().await, Err(BindError::Tls(_))));
}

#[cfg(feature = "cli")]
#[test]
fn the_command_serves_tls_and_reloads_the_certificate_at_a_hangup() {
    use crate::support::Process;

    let (old, new) = (certificate(), certificate());
    let files = Files::new(&old);
    let (certificate, key) = (files.certificate(), files.key());
    let mut process = Process::start(&[
        "--sink",
        "null:",
        "--log",
        "debug",
        "--tls-certificate",
        certificate.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ]);
    assert_eq!(client(process.address, &old).get("/").unwrap().status, 200);
    files.write(&new);
    process.hang_up();
    process.wait_for("the certificate was reloaded");
    assert_eq!(client(process.address, &new).get("/").unwrap().status, 200);
    std::fs::write(&certificate, "broken").unwrap();
    process.hang_up();
    let line = process.wait_for("the certificate was not reloaded");
    assert!(line.contains("ERROR") && line.contains("certificate.pem"), "{line}");
    assert_eq!(client(process.address, &new).get("/").unwrap().status, 200);

    // One who does not speak TLS is worth a line for who looks for it, and no more.
    let mut plain = Client::connect(process.address).unwrap();
    plain.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let line = process.wait_for("a TLS handshake failed");
    assert!(line.contains("DEBUG"), "{line}");
    process.terminate();
    assert_eq!(process.wait().0, Some(0));
}
