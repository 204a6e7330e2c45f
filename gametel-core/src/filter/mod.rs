//! Filters: which events, told by their type and their own fields.
//!
//! A [`Filter`] is a value: it is put together from tests with `&`, `|` and `!`, compared, printed,
//! and read from TOML or JSON. It looks at an [`EncodedEvent`](crate::event::EncodedEvent) without
//! building a tree of it.
//!
//! ```
//! use gametel_core::event::{Event, EventDraft, Stamp};
//! use gametel_core::filter::Filter;
//! use serde::Serialize;
//!
//! #[derive(Serialize)]
//! struct Purchase {
//!     item: &'static str,
//!     price: u32,
//! }
//!
//! impl Event for Purchase {
//!     const TYPE: &'static str = "purchase";
//! }
//!
//! let dear = Filter::of::<Purchase>() & Filter::field("price").at_least(100);
//! let sword = Purchase { item: "sword", price: 250 };
//! let event = EventDraft::from_event(&sword)?.encode(&[], Stamp::now())?;
//! assert!(dear.matches(&event));
//! assert_eq!(dear.to_string(), "event_type = \"purchase\" and price >= 100");
//! # Ok::<(), gametel_core::codec::EncodeError>(())
//! ```
//!
//! # As text
//!
//! A filter is a table with one of the keys `type`, `field`, `all`, `any` and `not`. Beside `field`
//! stand one or more tests, all of which must hold: `exists`, `equals`, `at_least`, `at_most`,
//! `above`, `below`.
//!
//! ```toml
//! filter = { all = [
//!     { type = ["purchase_sword", "purchase_shield"] },
//!     { field = "price", at_least = 100, below = 1000 },
//!     { not = { field = "guild", equals = "Night Watch" } },
//! ] }
//! ```
//!
//! # What a test looks at
//!
//! - The type is the event's, as
//!   [`EncodedEvent::event_type`](crate::event::EncodedEvent::event_type) gives it. A filter that
//!   the type alone decides reads nothing of the payload.
//! - A field is a top-level member of the payload, by its exact name. The last of several with one
//!   name counts. However many fields a filter tests, it reads the payload once.
//! - A member that is null is absent: in a table, the two are the same null.
//! - Numbers are compared as numbers (`1`, `1.0` and `1e0` are equal), integers of up to 127 bits
//!   without loss. A number with a fraction or an exponent, or a longer integer, counts as the
//!   nearest double.
//! - A string is compared with strings only: `"7"` is not 7.
//!
//! # What fails, and what `not` makes of it
//!
//! There are only yes and no. A comparison with a field that is absent, or is no number, is no; and
//! so `not` of it is yes:
//!
//! ```
//! use gametel_core::event::{EventDraft, Stamp, game::PurchaseSword};
//! use gametel_core::filter::Filter;
//!
//! // The sword's event has no price.
//! let event = EventDraft::from_event(&PurchaseSword)?.encode(&[], Stamp::now())?;
//! let dear = Filter::field("price").at_least(100);
//! assert!(!dear.matches(&event));
//! assert!(!Filter::field("price").below(100).matches(&event));
//! // "Not dear" is not "cheap": it lets events without a price through.
//! assert!((!dear).matches(&event));
//! # Ok::<(), gametel_core::codec::EncodeError>(())
//! ```
//!
//! A record that is no event fails every test, [`absent`](Field::absent) too: nothing is known of
//! it. What lets everything through lets it through as well: `not` of any test, and `all` of no
//! filters. (In a catalog or a [`Router`](crate::sink::Router) such records are in quarantine
//! before a filter is asked.)

mod display;
mod evaluate;
mod expression;
mod field;
mod literal;
mod number;
#[cfg(test)]
mod properties;
mod written;

pub use expression::Filter;
pub use field::Field;
pub use literal::Literal;
pub use number::Number;
