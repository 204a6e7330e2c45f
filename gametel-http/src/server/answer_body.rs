//! The body of an answer, which knows whether it has gone out.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};

use super::activity::Unread;

/// A body that counts as unread until it is dropped, and with it all that came of it: HTTP/2 takes a
/// body whole, and keeps it for a client that reads nothing.
#[derive(Debug)]
pub(super) struct AnswerBody<B> {
    body: B,
    unread: Arc<Unread>,
}

impl<B> AnswerBody<B> {
    pub(super) fn new(body: B, unread: Unread) -> Self {
        Self { body, unread: Arc::new(unread) }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for AnswerBody<B> {
    type Data = AnswerBytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<AnswerBytes>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        frame.map_ok(|frame| {
            frame.map_data(|bytes| AnswerBytes { bytes, _unread: Arc::clone(&self.unread) })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Bytes of an answer, on their way to the client.
#[derive(Debug)]
pub(super) struct AnswerBytes {
    bytes: Bytes,
    _unread: Arc<Unread>,
}

impl Buf for AnswerBytes {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}
