use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::batch::EventBatch;
use crate::sink::{SinkError, ThreadSinkOptions};

use super::admitted::Admitted;
use super::retrying::Retried;
use super::settlement::Settlement;
use super::store::Store;
use super::waiting::{Waiter, Waiting, WriteReply};
use super::{SpoolAck, SpoolOptions};

/// What the thread that writes to the file is told.
pub(super) enum Command {
    Write {
        batch: EventBatch,
        reply: WriteReply,
    },
    Settle {
        settlement: Settlement,
        reply: oneshot::Sender<Result<(), SinkError>>,
    },
    /// Take up some of the refused records, up to this number.
    RetryRefused {
        last: Option<i64>,
        reply: oneshot::Sender<Result<Retried, SinkError>>,
    },
    /// Look whether writes still have to be refused.
    Reconsider,
    Flush {
        reply: oneshot::Sender<Result<(), SinkError>>,
    },
    /// Take no more events, and have forwarded what can be within the time-out.
    Close,
    /// Nothing is forwarded any more; how the target ended.
    End {
        target: Result<(), SinkError>,
    },
}

/// How far a spool is on its way to its end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Open,
    /// Forwarding goes on until this moment, if there is one, or until there is nothing left.
    Closing(Option<Instant>),
    /// Nobody waits for anything any more.
    Abandoned,
}

/// What the thread that writes and the one that forwards have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) phase: watch::Sender<Phase>,
    /// Rung at each commit of new records.
    pub(super) committed: Notify,
    pub(super) waiting: Waiting,
}

/// The thread that writes to the file.
pub(super) struct Writer {
    store: Store,
    inbox: mpsc::Receiver<Command>,
    shared: Arc<Shared>,
    options: SpoolOptions,
    closed: bool,
    /// A command that was taken while a group was gathered, and does not belong to it.
    postponed: Option<Command>,
}

/// How a write is answered.
enum Answer {
    /// Once it is committed.
    Now(WriteReply),
    /// By the target: it waits under this name.
    Later(u64),
}

/// What becomes one transaction.
#[derive(Default)]
struct Group {
    writes: Vec<(Admitted, WriteReply)>,
    settlements: Vec<Settlement>,
    settled: Vec<oneshot::Sender<Result<(), SinkError>>>,
    events: usize,
    bytes: usize,
}

impl Writer {
    pub(super) fn new(
        store: Store,
        inbox: mpsc::Receiver<Command>,
        shared: Arc<Shared>,
        options: SpoolOptions,
    ) -> Self {
        Self { store, inbox, shared, options, closed: false, postponed: None }
    }

    /// Serves until forwarding has ended, and gives how that was.
    pub(super) fn run(mut self) -> Result<(), SinkError> {
        let target = self.serve();
        self.refuse_the_rest();
        self.store.close();
        target
    }

    fn serve(&mut self) -> Result<(), SinkError> {
        while let Some(command) = self.postponed.take().or_else(|| self.inbox.blocking_recv()) {
            match command {
                Command::Write { .. } | Command::Settle { .. } => self.write(command),
                // An answer that nobody waits for any more is dropped.
                Command::Flush { reply } => drop(reply.send(self.check_open())),
                Command::Reconsider => self.store.reconsider(),
                Command::RetryRefused { last, reply } => {
                    let retried = self.check_open().and_then(|()| self.store.retry_refused(last));
                    self.shared.committed.notify_one();
                    drop(reply.send(retried));
                }
                Command::Close if !self.closed => {
                    self.closed = true;
                    let deadline = Instant::now().checked_add(self.options.close_timeout);
                    self.shared.phase.send_modify(|phase| {
                        if let Phase::Open = phase {
                            *phase = Phase::Closing(deadline);
                        }
                    });
                }
                Command::Close => {}
                Command::End { target } => return target,
            }
        }
        Ok(())
    }

    fn check_open(&self) -> Result<(), SinkError> {
        if self.closed { Err(SinkError::closed("spool")) } else { Ok(()) }
    }

    /// Makes a group of a command and of those that wait behind it, and commits it.
    fn write(&mut self, command: Command) {
        let mut group = Group::default();
        let mut next = Some(command);
        while let Some(command) = next {
            match command {
                Command::Write { batch, reply } if group.has_room(&batch, &self.options.queue) => {
                    self.admit(&mut group, batch, reply);
                }
                Command::Settle { settlement, reply } => {
                    group.settlements.push(settlement);
                    group.settled.push(reply);
                }
                other => {
                    self.postponed = Some(other);
                    break;
                }
            }
            next = self.inbox.try_recv().ok();
        }
        self.commit(group);
    }

    fn admit(&mut self, group: &mut Group, batch: EventBatch, reply: WriteReply) {
        let (events, bytes) = (batch.len(), batch.bytes());
        match self.check_open().and_then(|()| self.store.admit(batch)) {
            Ok(admitted) => {
                group.events += events;
                group.bytes += bytes;
                group.writes.push((admitted, reply));
            }
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    fn commit(&mut self, group: Group) {
        let Group { writes, settlements, settled, .. } = group;
        if writes.is_empty() && settlements.is_empty() {
            return;
        }
        let (admitted, replies): (Vec<_>, Vec<_>) = writes.into_iter().unzip();
        // Before the target can have seen any of their events.
        let answers: Vec<_> = admitted.iter().zip(replies).map(|entry| self.enter(entry)).collect();
        match self.store.commit(&admitted, &settlements) {
            Ok(()) => {
                if !admitted.is_empty() {
                    self.shared.committed.notify_one();
                }
                for (write, answer) in admitted.into_iter().zip(answers) {
                    if let Answer::Now(reply) = answer {
                        drop(reply.send(Ok(write.into_accepted().collect())));
                    }
                }
                answer(settled, &Ok(()));
                if !settlements.is_empty() && self.inbox.is_empty() {
                    self.store.shrink();
                }
            }
            Err(error) => {
                for answer in answers {
                    match answer {
                        Answer::Now(reply) => drop(reply.send(Err(error.clone()))),
                        Answer::Later(write) => self.shared.waiting.fail(write, &error),
                    }
                }
                answer(settled, &self.settle_alone(&admitted, &settlements, error));
            }
        }
    }

    /// Enters a write that is to wait for the target.
    fn enter(&self, (write, reply): (&Admitted, WriteReply)) -> Answer {
        let awaited = match self.options.ack {
            SpoolAck::Spool => Vec::new(),
            SpoolAck::Target => write.records().collect(),
        };
        // Where every event was too large, there is nothing to wait for.
        if awaited.is_empty() {
            return Answer::Now(reply);
        }
        let deadline = Instant::now().checked_add(self.options.ack_timeout);
        let waiter = Waiter::new(write.outcomes.clone(), awaited, deadline, reply);
        Answer::Later(self.shared.waiting.add(waiter))
    }

    /// Settles without the writes that came with it: on a full disk, those would keep it from making
    /// room.
    fn settle_alone(
        &mut self,
        admitted: &[Admitted],
        settlements: &[Settlement],
        error: SinkError,
    ) -> Result<(), SinkError> {
        if settlements.is_empty() {
            return Err(error);
        }
        if !admitted.is_empty() && self.store.commit(&[], settlements).is_ok() {
            return Ok(());
        }
        self.store.make_room();
        self.store.commit(&[], settlements)
    }

    fn refuse_the_rest(&mut self) {
        self.inbox.close();
        while let Some(command) = self.inbox.blocking_recv() {
            let error = SinkError::closed("spool");
            match command {
                Command::Write { reply, .. } => drop(reply.send(Err(error))),
                Command::RetryRefused { reply, .. } => drop(reply.send(Err(error))),
                Command::Flush { reply } | Command::Settle { reply, .. } => {
                    drop(reply.send(Err(error)));
                }
                Command::Reconsider | Command::Close | Command::End { .. } => {}
            }
        }
    }
}

impl Group {
    fn has_room(&self, batch: &EventBatch, limits: &ThreadSinkOptions) -> bool {
        self.writes.is_empty()
            || self.events + batch.len() <= limits.group_events
                && self.bytes + batch.bytes() <= limits.group_bytes
    }
}

fn answer(replies: Vec<oneshot::Sender<Result<(), SinkError>>>, result: &Result<(), SinkError>) {
    for reply in replies {
        drop(reply.send(result.clone()));
    }
}
