use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, StatusCode};

use super::coding::{Coding, codings};
use super::collected::Collected;
use crate::config::Limits;
use crate::error::ApiError;
use crate::limits::Reservation;

/// How much of a body that is too large is read and thrown away before the answer. A client that
/// sends all of its body before it reads would else see a reset connection in place of the answer.
const DRAIN_BYTES: u64 = 64 * 1024 * 1024;

const INCOMPLETE: &str = "incomplete_body";

/// Reads a body that nobody wants, for the reason that [`DRAIN_BYTES`] gives.
pub(crate) async fn discard_body<S, B, E>(headers: &HeaderMap, body: S, timeout: Duration)
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    if can_drain(headers) {
        // However it ends, the answer is the same.
        let _ = tokio::time::timeout(timeout, drain(pin!(body))).await;
    }
}

/// Reads a request's body and undoes its codings: within [`Limits::body_bytes`] and
/// [`Limits::body_timeout`], and as far as the budget has room for what has come.
///
/// # Errors
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
    let timeout = limits.body_timeout;
    match tokio::time::timeout(timeout, collect(headers, body, limits, reservation)).await {
        Ok(result) => result,
        Err(_) => {
            let message = format!("the body did not come within {} s", timeout.as_secs_f32());
            Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", message))
        }
    }
}

async fn collect<S, B, E>(
    headers: &HeaderMap,
    body: S,
    limits: &Limits,
    reservation: &mut Reservation,
) -> Result<Bytes, ApiError>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let mut body = pin!(body);
    let codings = match admit(headers, limits, reservation) {
        Ok(codings) => codings,
        Err(refusal) => {
            if can_drain(headers) {
                drain(body).await;
            }
            return Err(refusal);
        }
    };
    let result = gather(headers, body.as_mut(), &codings, limits, reservation).await;
    if result.as_ref().is_err_and(|refusal| refusal.body.code != INCOMPLETE) {
        drain(body).await;
    }
    result
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
fn can_drain(headers: &HeaderMap) -> bool {
    !headers.contains_key(EXPECT)
        && announced_bytes(headers).is_none_or(|bytes| bytes <= DRAIN_BYTES)
}

async fn drain<B: Buf, E>(mut body: impl Stream<Item = Result<B, E>> + Unpin) {
    let mut drained = 0;
    while let Some(Ok(chunk)) = body.next().await {
        drained += chunk.remaining() as u64;
        if drained > DRAIN_BYTES {
            break;
        }
    }
}

fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn incomplete() -> ApiError {
    let message = "the body ended before it was complete";
    ApiError::new(StatusCode::BAD_REQUEST, INCOMPLETE, message)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::stream;

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
}
