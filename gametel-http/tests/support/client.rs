use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// One HTTP/1.1 connection, over which a test can send any bytes that it likes.
#[derive(Debug)]
pub(crate) struct Client {
    stream: BufReader<Box<dyn Stream>>,
    /// What is below the stream: it has the time-outs.
    socket: TcpStream,
}

/// What a connection runs over: TCP, or TLS over it.
pub(crate) trait Stream: Read + Write + fmt::Debug + Send {}

impl<S: Read + Write + fmt::Debug + Send> Stream for S {}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Client {
    /// No test waits longer than this for anything, unless it says so.
    const PATIENCE: Duration = Duration::from_secs(20);

    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::connect_patiently(address, Self::PATIENCE)
    }

    /// Connects as [`connect`](Self::connect) does, and waits so long for what comes.
    pub(crate) fn connect_patiently(address: SocketAddr, patience: Duration) -> io::Result<Self> {
        Self::over(Self::patient_socket(address, patience)?, |socket| socket)
    }

    /// A connection that stands, with the patience that all have.
    pub(crate) fn socket(address: SocketAddr) -> io::Result<TcpStream> {
        Self::patient_socket(address, Self::PATIENCE)
    }

    fn patient_socket(address: SocketAddr, patience: Duration) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Talks by what `wrap` makes of the socket.
    pub(crate) fn over<S: Stream + 'static>(
        socket: TcpStream,
        wrap: impl FnOnce(TcpStream) -> S,
    ) -> io::Result<Self> {
        let stream = wrap(socket.try_clone()?);
        Ok(Self { stream: BufReader::new(Box::new(stream)), socket })
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Sends a request with these header lines, `Name: value` each, and a body.
    pub(crate) fn ask(
        &mut self,
        request: &str,
        headers: &[&str],
        body: impl AsRef<[u8]>,
    ) -> io::Result<Reply> {
        self.send_request(request, headers, body)?;
        self.reply()
    }

    /// Sends a request as [`ask`](Self::ask) does, and waits for nothing.
    pub(crate) fn send_request(
        &mut self,
        request: &str,
        headers: &[&str],
        body: impl AsRef<[u8]>,
    ) -> io::Result<()> {
        let body = body.as_ref();
        let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let head = format!(
            "{request} HTTP/1.1\r\nHost: a.example\r\n{lines}Content-Length: {}\r\n\r\n",
            body.len()
        );
        self.send(&[head.as_bytes(), body].concat())
    }

    pub(crate) fn get(&mut self, path: &str) -> io::Result<Reply> {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n").as_bytes())?;
        self.reply()
    }

    pub(crate) fn post(&mut self, path: &str, body: impl AsRef<[u8]>) -> io::Result<Reply> {
        self.post_as("application/json", path, body)
    }

    pub(crate) fn post_as(
        &mut self,
        content_type: &str,
        path: &str,
        body: impl AsRef<[u8]>,
    ) -> io::Result<Reply> {
        let body = body.as_ref();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: a.example\r\nContent-Type: {content_type}\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        self.send(&[head.as_bytes(), body].concat())?;
        self.reply()
    }

    /// Says that nothing more comes, and goes on listening.
    pub(crate) fn half_close(&mut self) {
        self.socket.shutdown(Shutdown::Write).expect("the connection is still there");
    }

    /// Says that nothing more comes, and reads the status of every answer up to the end.
    pub(crate) fn statuses(mut self) -> Vec<u16> {
        // The server may have closed the connection by now.
        let _ = self.socket.shutdown(Shutdown::Write);
        std::iter::from_fn(|| self.reply().ok().map(|reply| reply.status)).collect()
    }

    /// Reads one answer, which must say its length.
    pub(crate) fn reply(&mut self) -> io::Result<Reply> {
        let status_line = self.line()?;
        let status = status_line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status =
            status.ok_or_else(|| io::Error::other(format!("no answer: {status_line:?}")))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut reply = Reply { status, headers, body: String::new() };
        let length = reply.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        reply.body = String::from_utf8(body).map_err(io::Error::other)?;
        Ok(reply)
    }

    /// Whether the server closes the connection, without another answer.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.stream.read(&mut [0]) {
            Ok(bytes) => bytes == 0,
            // A reset is a way to close, too; that nothing came in time is none.
            Err(error) => !is_timeout(&error),
        }
    }

    /// Whether the server closes the connection within that time; what it says until then is lost.
    pub(crate) fn is_closed_within(&mut self, patience: Duration) -> bool {
        let mut ignored = [0; 4096];
        loop {
            match self.read_within(patience, &mut ignored) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return !is_timeout(&error),
            }
        }
    }

    /// What the server says until it closes the connection.
    pub(crate) fn read_to_the_end(mut self) -> Vec<u8> {
        let mut said = Vec::new();
        // A reset is an end, too.
        let ended = self.stream.read_to_end(&mut said);
        assert!(!ended.is_err_and(|error| is_timeout(&error)), "it is not closed: {said:x?}");
        said
    }

    /// What the server says until it is enough.
    pub(crate) fn read_until(&mut self, is_enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let mut said = Vec::new();
        while !is_enough(&said) {
            let more = self.stream.fill_buf().expect("the server says more");
            assert!(!more.is_empty(), "it ended: {said:x?}");
            said.extend_from_slice(more);
            let count = more.len();
            self.stream.consume(count);
        }
        said
    }

    /// Whether the beginning of an answer is there within that time.
    pub(crate) fn has_answer_within(&mut self, patience: Duration) -> bool {
        self.socket.set_read_timeout(Some(patience)).unwrap();
        let filled = self.stream.fill_buf().is_ok_and(|bytes| !bytes.is_empty());
        self.socket.set_read_timeout(Some(Self::PATIENCE)).unwrap();
        filled
    }

    /// Whether the server takes it within that time.
    pub(crate) fn send_within(&mut self, patience: Duration, bytes: &[u8]) -> bool {
        self.socket.set_write_timeout(Some(patience)).unwrap();
        let sent = self.send(bytes).is_ok();
        self.socket.set_write_timeout(Some(Self::PATIENCE)).unwrap();
        sent
    }

    fn read_within(&mut self, patience: Duration, buffer: &mut [u8]) -> io::Result<usize> {
        // Zero would mean for ever.
        self.socket.set_read_timeout(Some(patience.max(Duration::from_micros(1)))).unwrap();
        let read = self.stream.read(buffer);
        self.socket.set_read_timeout(Some(Self::PATIENCE)).unwrap();
        read
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The code of an error, whose form it checks.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        let json = self.json();
        assert!(json["error"]["message"].is_string(), "{self:?}");
        json["error"]["code"].as_str().expect("an error has a code").to_owned()
    }
}
