use std::sync::mpsc as std_mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{FutureExt, join_all};

use super::*;
use crate::event::game::PurchaseSword;
use crate::event::{EventDraft, Stamp};

/// Waits for an answer to give before each group, and tells the size of each.
struct Gated {
    answers: std_mpsc::Receiver<Result<(), SinkError>>,
    groups: Arc<Mutex<Vec<usize>>>,
}

impl BlockingSink for Gated {
    fn write_group(&mut self, group: &[EventBatch]) -> Result<Vec<WriteReport>, SinkError> {
        self.groups.lock().unwrap().push(group.len());
        self.answers.recv().expect("the test told the thread to die")?;
        Ok(group.iter().map(|batch| WriteReport::accepted(batch.len())).collect())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn close(&mut self) -> Result<(), SinkError> {
        Err(SinkError::new(SinkErrorKind::Io, "gated", "this one can't be closed"))
    }
}

type Answers = std_mpsc::Sender<Result<(), SinkError>>;

fn gated(options: ThreadSinkOptions) -> (ThreadSink, Answers, Arc<Mutex<Vec<usize>>>) {
    let (answer, answers) = std_mpsc::channel();
    let groups = Arc::new(Mutex::new(Vec::new()));
    let sink = Gated { answers, groups: Arc::clone(&groups) };
    (ThreadSink::new("gated", sink, options).unwrap(), answer, groups)
}

/// Waits until this many groups have come to the thread, the last of which blocks it: what comes
/// then queues up behind it.
async fn blocked(groups: &Mutex<Vec<usize>>, count: usize) {
    while groups.lock().unwrap().len() < count {
        tokio::task::yield_now().await;
    }
}

fn one() -> EventBatch {
    let draft = EventDraft::from_event(&PurchaseSword).unwrap();
    draft.encode(&[], Stamp::now()).unwrap().into()
}

#[tokio::test]
async fn what_waits_becomes_one_group_within_the_limits() {
    let batch = one();
    for options in [
        ThreadSinkOptions { group_events: 3, ..Default::default() },
        ThreadSinkOptions { group_bytes: 3 * batch.bytes(), ..Default::default() },
    ] {
        let (sink, answer, groups) = gated(options);
        let mut first = sink.write_batch(&batch);
        assert!((&mut first).now_or_never().is_none());
        blocked(&groups, 1).await;
        let mut rest = join_all((0..5).map(|_| sink.write_batch(&batch)));
        assert!((&mut rest).now_or_never().is_none());
        for _ in 0..6 {
            answer.send(Ok(())).unwrap();
        }
        let accepted = rest.await.into_iter().map(|report| report.unwrap().accepted_count());
        assert_eq!(accepted.sum::<usize>() + first.await.unwrap().accepted_count(), 6);
        assert_eq!(*groups.lock().unwrap(), [1, 3, 2], "{options:?}");
    }
}

#[tokio::test]
async fn a_group_that_fails_is_told_to_each_of_its_writers() {
    let (sink, answer, groups) = gated(ThreadSinkOptions::default());
    let batch = one();
    let mut first = sink.write_batch(&batch);
    assert!((&mut first).now_or_never().is_none());
    blocked(&groups, 1).await;
    let mut rest = join_all((0..3).map(|_| sink.write_batch(&batch)));
    assert!((&mut rest).now_or_never().is_none());
    answer.send(Ok(())).unwrap();
    answer.send(Err(SinkError::new(SinkErrorKind::Unavailable, "gated", "not now"))).unwrap();
    // Had they not become one group, the next would find nobody to ask, and not wait for ever.
    drop(answer);
    assert!(first.await.is_ok());
    for report in rest.await {
        assert_eq!(report.unwrap_err().to_string(), "gated: not now");
    }
}

#[tokio::test]
async fn a_flush_waits_for_what_was_handed_over_before_it() {
    let (sink, answer, groups) = gated(ThreadSinkOptions::default());
    let batch = one();
    let mut first = sink.write_batch(&batch);
    assert!((&mut first).now_or_never().is_none());
    blocked(&groups, 1).await;
    let mut second = sink.write_batch(&batch);
    assert!((&mut second).now_or_never().is_none());
    let mut flush = sink.flush();
    assert!((&mut flush).now_or_never().is_none());
    answer.send(Ok(())).unwrap();
    blocked(&groups, 2).await;
    assert!((&mut flush).now_or_never().is_none(), "the second is not written yet");
    answer.send(Ok(())).unwrap();
    flush.await.unwrap();
    assert!(first.await.is_ok() && second.await.is_ok());
}

#[tokio::test]
async fn a_full_queue_is_an_answer() {
    let (sink, answer, groups) =
        gated(ThreadSinkOptions { queue_batches: 1, ..Default::default() });
    let batch = one();
    let mut first = sink.write_batch(&batch);
    assert!((&mut first).now_or_never().is_none());
    blocked(&groups, 1).await;
    let mut second = sink.write_batch(&batch);
    assert!((&mut second).now_or_never().is_none());
    let third = sink.write_batch(&batch).now_or_never().expect("a full queue answers at once");
    assert_eq!(third.unwrap_err().kind(), SinkErrorKind::Backpressure);
    answer.send(Ok(())).unwrap();
    answer.send(Ok(())).unwrap();
    assert!(first.await.is_ok() && second.await.is_ok());
}

#[tokio::test]
async fn a_sink_is_flushed_before_it_ends() {
    /// Tells what is called, and fails to flush.
    struct Unflushable(std_mpsc::Sender<&'static str>);

    impl BlockingSink for Unflushable {
        fn write_group(&mut self, _: &[EventBatch]) -> Result<Vec<WriteReport>, SinkError> {
            unreachable!("the test writes nothing")
        }

        fn flush(&mut self) -> Result<(), SinkError> {
            self.0.send("flush").unwrap();
            Err(SinkError::new(SinkErrorKind::Io, "odd", "what is left can't be written"))
        }

        fn close(&mut self) -> Result<(), SinkError> {
            self.0.send("close").unwrap();
            Ok(())
        }
    }

    let open = || {
        let (tell, told) = std_mpsc::channel();
        (ThreadSink::new("odd", Unflushable(tell), Default::default()).unwrap(), told)
    };
    let (sink, told) = open();
    let error = sink.close().await.unwrap_err();
    assert_eq!(error.to_string(), "odd: what is left can't be written");
    assert_eq!(told.iter().collect::<Vec<_>>(), ["flush", "close"]);
    let (sink, told) = open();
    drop(sink);
    assert_eq!(told.iter().collect::<Vec<_>>(), ["flush", "close"], "also where nobody closed it");
}

#[tokio::test]
async fn every_close_gives_what_the_first_gave() {
    let (sink, _answer, _) = gated(ThreadSinkOptions::default());
    for _ in 0..2 {
        assert_eq!(sink.close().await.unwrap_err().to_string(), "gated: this one can't be closed");
    }
    assert_eq!(sink.write_batch(&one()).await.unwrap_err().kind(), SinkErrorKind::Closed);
}

#[tokio::test]
async fn a_close_after_one_whose_caller_went_away_waits_without_blocking_and_gives_its_result() {
    /// Tells that it is being flushed, and waits to be let go on.
    struct Slow {
        flushing: std_mpsc::Sender<()>,
        go_on: std_mpsc::Receiver<()>,
    }

    impl BlockingSink for Slow {
        fn write_group(&mut self, _: &[EventBatch]) -> Result<Vec<WriteReport>, SinkError> {
            unreachable!("the test writes nothing")
        }

        fn flush(&mut self) -> Result<(), SinkError> {
            self.flushing.send(()).unwrap();
            // With a limit, so that who blocks the test's thread meanwhile fails the test.
            _ = self.go_on.recv_timeout(Duration::from_secs(10));
            Ok(())
        }

        fn close(&mut self) -> Result<(), SinkError> {
            Err(SinkError::new(SinkErrorKind::Io, "slow", "this one can't be closed"))
        }
    }

    let (flushing, is_flushing) = std_mpsc::channel();
    let (go_on, told) = std_mpsc::channel();
    let slow = Slow { flushing, go_on: told };
    let sink = ThreadSink::new("slow", slow, ThreadSinkOptions::default()).unwrap();
    assert!(sink.close().now_or_never().is_none());
    is_flushing.recv().unwrap();
    let mut second = sink.close();
    assert!((&mut second).now_or_never().is_none(), "the thread is still flushing");
    go_on.send(()).unwrap();
    for result in [second.await, sink.close().await] {
        assert_eq!(result.unwrap_err().to_string(), "slow: this one can't be closed");
    }
}

#[tokio::test]
async fn a_thread_that_dies_leaves_no_caller_waiting() {
    let (sink, answer, _) = gated(ThreadSinkOptions::default());
    drop(answer);
    let error = sink.write_batch(&one()).await.unwrap_err();
    assert_eq!(error.to_string(), "gated: the writing thread has died");
    assert!(sink.close().await.is_err());
}
