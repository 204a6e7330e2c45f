use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, StatusCode};
use tokio::time::{Instant, timeout_at};

use super::coding::{Coding, codings};
use super::collected::Collected;
use crate::config::Limits;
use crate::error::ApiError;
use crate::limits::Reservation;

/// How much of a body that was refused is read and thrown away before the answer. A client that
/// sends all of its body before it reads would else see a reset connection in place of the answer.
const DRAIN_BYTES: u64 = 64 * 1024 * 1024;

/// How long that may take where the request is refused for its head: who may not write, or not so
/// often, or asks for what is not there, is owed no more.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);

/// How much is read there at least, so that a small limit on bodies does not cost an answer.
const DISCARD_BYTES: u64 = 1024 * 1024;

const INCOMPLETE: &str = "incomplete_body";

/// Reads a body that nobody wants, for the reason that [`DRAIN_BYTES`] gives. It is twice as much as
/// one that was wanted could have, and no more: a client that sends within the limits sees its
/// answer, and one that sends for the sake of it costs little.
pub(crate) async fn discard_body<S, B, E>(headers: &HeaderMap, body: S, limits: &Limits)
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let most = DISCARD_BYTES.max(limits.body_bytes.saturating_mul(2) as u64);
    let timeout = DISCARD_TIMEOUT.min(limits.body_timeout);
    if can_drain(headers, most) {
        // However it ends, the answer is the same.
        let _ = tokio::time::timeout(timeout, drain(pin!(body), most)).await;
    }
}

/// Reads a request's body and undoes its codings: within [`Limits::body_bytes`] and
/// [`Limits::body_timeout`], and as far as the budget has room for what has come.
///
/// # Errors
///
/// The reservation is empty then, and what is left of the body is read and thrown away, within the
/// same time.
///
/// The budget is exhausted (503), a coding is not known (415), the body is larger (413), did not
/// come in time (408), ended too early, or is not in its coding (400).
pub(crate) async fn read_body<S, B, E>(
    headers: &HeaderMap,
    body: S,
    limits: &Limits,
    reservation: &mut Reservation,
) -> Result<Bytes, ApiError>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let deadline = Instant::now() + limits.body_timeout;
    let mut body = pin!(body);
    let (refusal, can_drain) = match admit(headers, limits, reservation) {
        Ok(codings) => {
            let gathered = gather(headers, body.as_mut(), &codings, limits, reservation);
            match timeout_at(deadline, gathered).await {
                Ok(Ok(bytes)) => return Ok(bytes),
                // There is nothing more to come, or no time for it.
                Ok(Err(refusal)) if refusal.body.code == INCOMPLETE => (refusal, false),
                Ok(Err(refusal)) => (refusal, true),
                Err(_) => (timed_out(limits.body_timeout), false),
            }
        }
        Err(refusal) => (refusal, can_drain(headers, DRAIN_BYTES)),
    };
    // Nothing is kept of what is thrown away.
    drop(reservation.take());
    if can_drain {
        let _ = timeout_at(deadline, drain(body, DRAIN_BYTES)).await;
    }
    Err(refusal)
}

/// What can be said of a body before any of it is read.
fn admit(
    headers: &HeaderMap,
    limits: &Limits,
    reservation: &Reservation,
) -> Result<Vec<Coding>, ApiError> {
    let announced = announced_bytes(headers);
    let too_large = announced.is_some_and(|bytes| bytes > limits.body_bytes as u64);
    let expected = announced.map_or(1, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    if !reservation.has_room_for(expected.min(limits.body_bytes)) {
        return Err(ApiError::overloaded());
    }
    let codings = codings(headers)?;
    if too_large { Err(ApiError::body_too_large(limits.body_bytes)) } else { Ok(codings) }
}

async fn gather<S, B, E>(
    headers: &HeaderMap,
    mut body: Pin<&mut S>,
    codings: &[Coding],
    limits: &Limits,
    reservation: &mut Reservation,
) -> Result<Bytes, ApiError>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let Some(first) = body.next().await else {
        return Ok(Bytes::new());
    };
    let mut first = first.map_err(|_| incomplete())?;
    let announced = announced_bytes(headers).filter(|_| codings.is_empty());
    if announced == Some(first.remaining() as u64) {
        reservation.take_bytes(first.remaining())?;
        return Ok(first.copy_to_bytes(first.remaining()));
    }
    let expected = announced.map_or(limits.body_bytes, |bytes| bytes as usize);
    let mut collected = Collected::new(codings, limits.body_bytes, expected, reservation);
    let mut next = Some(Ok(first));
    while let Some(chunk) = next {
        let chunk = chunk.map_err(|_| incomplete())?;
        collected.push(&take(chunk)).await?;
        next = body.next().await;
    }
    collected.finish().await
}

fn take(mut chunk: impl Buf) -> Bytes {
    chunk.copy_to_bytes(chunk.remaining())
}

/// Who waits for `100 Continue` has sent nothing yet, and reading would ask for it.
fn can_drain(headers: &HeaderMap, most: u64) -> bool {
    !headers.contains_key(EXPECT) && announced_bytes(headers).is_none_or(|bytes| bytes <= most)
}

async fn drain<B: Buf, E>(mut body: impl Stream<Item = Result<B, E>> + Unpin, most: u64) {
    let mut drained = 0;
    while let Some(Ok(chunk)) = body.next().await {
        drained += chunk.remaining() as u64;
        if drained > most {
            break;
        }
    }
}

fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn timed_out(timeout: Duration) -> ApiError {
    let message = format!("the body did not come within {} s", timeout.as_secs_f32());
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", message)
}

fn incomplete() -> ApiError {
    let message = "the body ended before it was complete";
    ApiError::new(StatusCode::BAD_REQUEST, INCOMPLETE, message)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::{FutureExt, stream};

    use super::*;
    use crate::limits::Budget;

    type Chunk = Result<&'static [u8], ()>;

    async fn read(
        headers: &[(&'static str, &'static str)],
        chunks: Vec<Chunk>,
    ) -> Result<Bytes, ApiError> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        read_all(&map, stream::iter(chunks)).await
    }

    async fn read_all(
        headers: &HeaderMap,
        body: impl Stream<Item = Chunk>,
    ) -> Result<Bytes, ApiError> {
        let limits = Limits::default().with_body_bytes(8);
        read_body(headers, body, &limits, &mut Budget::new(&limits).reservation()).await
    }

    #[tokio::test]
    async fn a_body_is_put_together_up_to_the_limit() {
        for chunks in [vec![], vec![Ok(&b"abcdefgh"[..])], vec![Ok(&b"abcd"[..]), Ok(b"efgh")]] {
            let whole: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.unwrap().to_vec()).collect();
            assert_eq!(read(&[], chunks.clone()).await.unwrap(), whole);
            assert_eq!(read(&[("content-length", "8")], chunks).await.unwrap(), whole);
        }
    }

    #[tokio::test]
    async fn one_byte_too_many_is_refused_announced_or_not() {
        let chunks = vec![Ok(&b"abcdefgh"[..]), Ok(b"i")];
        assert_eq!(read(&[], chunks.clone()).await.unwrap_err().body.code, "body_too_large");
        let announced = read(&[("content-length", "9")], chunks).await;
        assert_eq!(announced.unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn a_body_that_is_waited_for_with_expect_is_not_asked_for() {
        let asked = Cell::new(false);
        let body = stream::poll_fn(|_| {
            asked.set(true);
            std::task::Poll::Ready(None::<Chunk>)
        });
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, 9.into());
        headers.insert(EXPECT, "100-continue".parse().unwrap());
        let refused = read_all(&headers, body).await;
        assert_eq!(refused.unwrap_err().body.code, "body_too_large");
        assert!(!asked.get());
    }

    #[tokio::test]
    async fn a_broken_body_is_incomplete() {
        let refused = read(&[], vec![Ok(b"ab"), Err(())]).await.unwrap_err();
        assert_eq!(
            (refused.status, refused.body.code),
            (StatusCode::BAD_REQUEST, "incomplete_body")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_timed_out() {
        let body = stream::pending::<Chunk>();
        let refused = read_all(&HeaderMap::new(), body).await;
        let refused = refused.unwrap_err();
        assert_eq!(
            (refused.status, refused.body.code),
            (StatusCode::REQUEST_TIMEOUT, "body_timeout")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_body_holds_nothing_while_the_rest_of_it_is_read() {
        let limits = Limits::default().with_body_bytes(8);
        let budget = Budget::new(&limits);
        let mut reservation = budget.reservation();
        let chunks = [Ok::<_, ()>(&b"abcdef"[..]), Ok(b"ghi")];
        let body = stream::iter(chunks).chain(stream::pending());
        let headers = HeaderMap::new();
        let mut read = Box::pin(read_body(&headers, body, &limits, &mut reservation));
        assert!((&mut read).now_or_never().is_none());
        assert_eq!(budget.bytes(), 0);
        // Nor does the rest, which never comes, change the answer.
        assert_eq!(read.await.unwrap_err().body.code, "body_too_large");
    }

    #[tokio::test(start_paused = true)]
    async fn of_a_body_that_nobody_wants_little_is_read_and_not_for_long() {
        let limits = Limits::default();
        let read = Cell::new(0);
        let endless = stream::repeat_with(|| {
            read.set(read.get() + 64 * 1024);
            Ok::<_, ()>(&[0; 64 * 1024][..])
        });
        discard_body(&HeaderMap::new(), endless, &limits).await;
        assert_eq!(read.get(), 2 * limits.body_bytes + 64 * 1024);
        let begun = Instant::now();
        discard_body(&HeaderMap::new(), stream::pending::<Chunk>(), &limits).await;
        assert_eq!(begun.elapsed(), DISCARD_TIMEOUT);
    }
}
