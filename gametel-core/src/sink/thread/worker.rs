use tokio::sync::{mpsc, oneshot, watch};

use crate::batch::EventBatch;
use crate::sink::{SinkError, WriteReport};

use super::{BlockingSink, ThreadSinkOptions};

/// What a [`ThreadSink`](super::ThreadSink) tells its thread.
pub(super) enum Command {
    Write {
        batch: EventBatch,
        reply: oneshot::Sender<Result<WriteReport, SinkError>>,
    },
    Flush {
        reply: oneshot::Sender<Result<(), SinkError>>,
    },
    /// The answer is how the thread ends: whoever closes waits for that.
    Close,
}

/// The thread's side.
pub(super) struct Worker<S> {
    sink: S,
    inbox: mpsc::Receiver<Command>,
    options: ThreadSinkOptions,
    name: String,
    /// A command that was taken while a group was gathered, and does not belong to it.
    postponed: Option<Command>,
}

impl<S: BlockingSink> Worker<S> {
    pub(super) fn new(
        sink: S,
        inbox: mpsc::Receiver<Command>,
        options: ThreadSinkOptions,
        name: String,
    ) -> Self {
        Self { sink, inbox, options, name, postponed: None }
    }

    /// Serves until it is told to close, or nobody can tell it any more, and ends the destination.
    ///
    /// The result is told last, when the destination is dropped, too.
    pub(super) fn run(mut self, end: &watch::Sender<Option<Result<(), SinkError>>>) {
        self.serve();
        let flushed = self.sink.flush();
        let closed = self.sink.close();
        let Self { sink, name, .. } = self;
        drop(sink);
        // Every handle is gone: nobody waits for the result, and nobody would hear of a failure.
        if let Err(watch::error::SendError(Some(Err(error)))) = end.send(Some(flushed.and(closed)))
        {
            tracing::error!(sink = name, %error, "failed while being dropped");
        }
    }

    fn serve(&mut self) {
        while let Some(command) = self.postponed.take().or_else(|| self.inbox.blocking_recv()) {
            match command {
                Command::Write { batch, reply } => self.write(batch, reply),
                // An answer that nobody waits for any more is dropped.
                Command::Flush { reply } => drop(reply.send(self.sink.flush())),
                Command::Close => return self.refuse_the_rest(),
            }
        }
    }

    fn write(&mut self, batch: EventBatch, reply: oneshot::Sender<Result<WriteReport, SinkError>>) {
        let (mut events, mut bytes) = (batch.len(), batch.bytes());
        let (mut group, mut replies) = (vec![batch], vec![reply]);
        while let Ok(command) = self.inbox.try_recv() {
            match command {
                Command::Write { batch, reply }
                    if events + batch.len() <= self.options.group_events
                        && bytes + batch.bytes() <= self.options.group_bytes =>
                {
                    events += batch.len();
                    bytes += batch.bytes();
                    group.push(batch);
                    replies.push(reply);
                }
                other => {
                    self.postponed = Some(other);
                    break;
                }
            }
        }
        match self.sink.write_group(&group) {
            Ok(reports) => {
                for (reply, report) in replies.into_iter().zip(reports) {
                    drop(reply.send(Ok(report)));
                }
            }
            Err(error) => {
                for reply in replies {
                    drop(reply.send(Err(error.clone())));
                }
            }
        }
    }

    fn refuse_the_rest(&mut self) {
        self.inbox.close();
        while let Some(command) = self.inbox.blocking_recv() {
            let error = SinkError::closed(self.name.clone());
            match command {
                Command::Write { reply, .. } => drop(reply.send(Err(error))),
                Command::Flush { reply } => drop(reply.send(Err(error))),
                Command::Close => {}
            }
        }
    }
}
