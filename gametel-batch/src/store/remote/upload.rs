use std::future::Future;
use std::io::{self, Write};
use std::sync::{Arc, mpsc};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::error::{BatchError, ErrorKind};
use crate::store::NewFile;

use super::Calls;

/// Takes a file's bytes piece by piece.
pub(in crate::store) trait Upload: Send + 'static {
    /// Takes the next piece.
    fn piece(&mut self, piece: Bytes) -> impl Future<Output = Result<(), BatchError>> + Send;

    /// Ends the file.
    fn finish(self) -> impl Future<Output = Result<(), BatchError>> + Send;

    /// Leaves nothing of it.
    fn abort(self) -> impl Future<Output = ()> + Send;
}

/// A file in the making that is sent away while it is written: pieces are collected in one buffer,
/// and one or a few more are on their way.
pub(in crate::store) struct UploadFile {
    /// Keeps the threads that send.
    _calls: Arc<Calls>,
    size: usize,
    buffer: BytesMut,
    orders: UnboundedSender<Order>,
    /// One for each order.
    results: mpsc::Receiver<Result<(), BatchError>>,
    /// Orders that had no result yet.
    waiting: usize,
    ahead: usize,
    ended: bool,
}

enum Order {
    Piece(Bytes),
    Finish,
    Abort,
}

impl UploadFile {
    /// Sends pieces of `size` bytes, and lets `ahead` of them wait or be sent while the next is
    /// collected.
    pub(in crate::store) fn start(
        calls: &Arc<Calls>,
        upload: impl Upload,
        size: usize,
        ahead: usize,
    ) -> Box<dyn NewFile> {
        let (orders, inbox) = unbounded_channel();
        let (outbox, results) = mpsc::channel();
        calls.handle().spawn(obey(upload, inbox, outbox));
        Box::new(Self {
            _calls: Arc::clone(calls),
            size,
            // Not all of it at once: many files stay small.
            buffer: BytesMut::new(),
            orders,
            results,
            waiting: 0,
            ahead,
            ended: false,
        })
    }

    fn order(&mut self, order: Order) {
        // Where nobody is left to obey, the result that is missing says so.
        let _ = self.orders.send(order);
        self.waiting += 1;
    }

    /// Waits until no more than so many orders have no result.
    fn settle(&mut self, most: usize) -> Result<(), BatchError> {
        while self.waiting > most {
            self.waiting -= 1;
            let died =
                || BatchError::new(ErrorKind::Failed, "the thread that sends a file has died");
            self.results.recv().map_err(|_| died()).flatten()?;
        }
        Ok(())
    }

    fn send_buffer(&mut self) -> Result<(), BatchError> {
        let piece = self.buffer.split().freeze();
        self.order(Order::Piece(piece));
        self.settle(self.ahead)
    }
}

/// Does what it is told until the end of the file. After a failure there is only the abort.
async fn obey(
    mut upload: impl Upload,
    mut inbox: UnboundedReceiver<Order>,
    outbox: mpsc::Sender<Result<(), BatchError>>,
) {
    loop {
        let result = match inbox.recv().await {
            Some(Order::Piece(piece)) => upload.piece(piece).await,
            Some(Order::Finish) => {
                drop(outbox.send(upload.finish().await));
                return;
            }
            Some(Order::Abort) | None => {
                upload.abort().await;
                drop(outbox.send(Ok(())));
                return;
            }
        };
        drop(outbox.send(result));
    }
}

impl Write for UploadFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.size - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == self.size {
            self.send_buffer().map_err(io::Error::other)?;
        }
        Ok(taken)
    }

    /// Sends nothing yet: pieces have one size.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl NewFile for UploadFile {
    fn finish(mut self: Box<Self>) -> Result<(), BatchError> {
        if !self.buffer.is_empty() {
            self.send_buffer()?;
        }
        self.settle(0)?;
        self.ended = true;
        self.order(Order::Finish);
        self.settle(0)
    }
}

impl Drop for UploadFile {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        self.order(Order::Abort);
        while self.waiting > 0 {
            // Failures before this have been reported, or nobody asked.
            let _ = self.settle(self.waiting - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Notes what it is told, and fails at a piece that begins with `!`.
    #[derive(Clone, Default)]
    struct Notes(Arc<Mutex<Vec<String>>>);

    impl Notes {
        fn note(&self, what: &str) {
            self.0.lock().unwrap().push(what.to_owned());
        }

        fn read(&self) -> Vec<String> {
            self.0.lock().unwrap().clone()
        }
    }

    impl Upload for Notes {
        async fn piece(&mut self, piece: Bytes) -> Result<(), BatchError> {
            if piece.starts_with(b"!") {
                return Err(BatchError::failed("the piece is refused", "on purpose"));
            }
            self.note(std::str::from_utf8(&piece).unwrap());
            Ok(())
        }

        async fn finish(self) -> Result<(), BatchError> {
            self.note("finish");
            Ok(())
        }

        async fn abort(self) {
            self.note("abort");
        }
    }

    #[test]
    fn a_file_is_sent_in_pieces_of_one_size_and_ended() {
        let (calls, notes) = (Arc::new(Calls::new().unwrap()), Notes::default());
        let mut file = UploadFile::start(&calls, notes.clone(), 4, 2);
        file.write_all(b"abcdefghij").unwrap();
        file.finish().unwrap();
        assert_eq!(notes.read(), ["abcd", "efgh", "ij", "finish"]);
    }

    #[test]
    fn a_file_that_is_dropped_is_aborted_before_the_drop_ends() {
        let (calls, notes) = (Arc::new(Calls::new().unwrap()), Notes::default());
        let mut file = UploadFile::start(&calls, notes.clone(), 4, 2);
        file.write_all(b"abcdef").unwrap();
        drop(file);
        assert_eq!(notes.read(), ["abcd", "abort"]);
    }

    #[test]
    fn a_piece_that_fails_is_an_error_and_the_file_is_aborted() {
        let (calls, notes) = (Arc::new(Calls::new().unwrap()), Notes::default());
        let mut file = UploadFile::start(&calls, notes.clone(), 4, 2);
        file.write_all(b"!").unwrap();
        let error = file.finish().unwrap_err();
        assert_eq!(error.to_string(), "the piece is refused");
        assert_eq!(notes.read(), ["abort"]);
    }
}
