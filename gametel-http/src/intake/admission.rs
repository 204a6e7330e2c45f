use http::HeaderMap;

use super::places::Place;
use super::request::Request;
use super::shared::Intake;
use crate::access::{Caller, forget_credentials};
use crate::error::ApiError;
use crate::limits::{RateLimited, check_head, client_address};
use crate::routes::Peer;

/// Lets a request in, or refuses it, before anything of its body is read: its head is not too
/// large, its address does not ask too often, its key is known, and the key does not ask too often.
///
/// The address comes before the key wherever one is looked at, so that who tries out keys is slowed
/// down. From here on the
/// request knows its caller, and no credentials.
///
/// # Errors
///
/// 414 or 431, 429, 400 or 401, 429.
pub(crate) fn admit<S>(intake: &Intake, request: &mut Request<'_, S>) -> Result<(), ApiError> {
    check_head(&intake.options.limits, request.uri_bytes, &request.headers)?;
    let stores = request.place.is_some_and(Place::stores);
    let keys = intake.options.keys.as_ref();
    let keys = keys.filter(|_| request.place.is_some_and(Place::needs_key));
    // Where nobody says who asks, the rates are for whoever mounted the routes.
    if let (true, Some(peer)) = (stores || keys.is_some(), request.peer) {
        limited(intake, check_address(intake, peer, &request.headers))?;
    }
    if let Some(keys) = keys {
        let caller = keys.check(&request.headers)?;
        if stores {
            limited(intake, check_key(intake, &caller))?;
        }
        tracing::Span::current().record("key", &**caller.name());
        request.caller = Some(caller);
    }
    forget_credentials(&mut request.headers);
    Ok(())
}

fn check_address(intake: &Intake, peer: Peer, headers: &HeaderMap) -> Result<(), RateLimited> {
    let client = client_address(peer.0, headers, &intake.options.rates.trusted_proxies);
    intake.rates.check_address(client)
}

fn check_key(intake: &Intake, caller: &Caller) -> Result<(), RateLimited> {
    intake.rates.check_key(caller.name(), caller.rate())
}

/// Takes note of a request that comes too soon.
fn limited(intake: &Intake, checked: Result<(), RateLimited>) -> Result<(), ApiError> {
    checked.map_err(|limited| {
        intake.stats.add_rate_limited();
        limited.into()
    })
}
