//! What is at which path. A chain of filters would try one route after the other; here a path is looked
//! up once, in a table.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use gametel_core::catalog::{Catalog, EventDefinition};
use percent_encoding::percent_decode_str;

use crate::config::RouteOptions;
use crate::contract::{Document, documents};
use crate::metrics::{Meters, RouteMeters};

/// What is at a path; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A route of the catalog.
    Event(Arc<EventRoute>),
    /// `/v1/events`
    Events,
    /// `/healthz/live`
    Live,
    /// `/healthz/ready`
    Ready,
    /// `/openapi.json`, `/v1/schema`, `/v1/schema/{type}`
    Document(Document),
    /// `/v1/schema/{type}` of a type that is not there
    UnknownSchema,
}

impl Place {
    /// The methods that it takes, with commas between.
    pub(crate) fn methods(&self) -> &'static str {
        match self {
            Self::Event(_) => "GET, POST",
            Self::Events => "POST",
            Self::Live | Self::Ready | Self::Document(_) | Self::UnknownSchema => "GET, HEAD",
        }
    }

    /// Whether requests to it store events.
    pub(crate) fn stores(&self) -> bool {
        matches!(self, Self::Event(_) | Self::Events)
    }

    /// Whether it says how the server is.
    pub(crate) fn is_health(&self) -> bool {
        matches!(self, Self::Live | Self::Ready)
    }

    /// Whether a key is needed, where there are keys. Who asks whether the server is well has none.
    pub(crate) fn needs_key(&self) -> bool {
        !self.is_health()
    }
}

/// A route of the catalog: its event, and the body of the answer, made once.
#[derive(Debug)]
pub(crate) struct EventRoute {
    pub(crate) definition: EventDefinition,
    pub(crate) reply: Bytes,
    meters: RouteMeters,
}

/// What there is, by path.
#[derive(Debug)]
pub(crate) struct Places {
    /// Without the slash at a path's start: that is how warp gives what is left of a path.
    by_path: HashMap<Box<str>, Place>,
    fixed: FixedMeters,
}

/// The metrics of what is not a route of the catalog.
#[derive(Debug)]
struct FixedMeters {
    events: RouteMeters,
    live: RouteMeters,
    ready: RouteMeters,
    /// `/openapi.json`, and those below `/v1/schema`.
    documents: RouteMeters,
    /// Of all paths where nothing is.
    none: RouteMeters,
}

impl Places {
    pub(super) fn new(catalog: &Catalog, options: &RouteOptions, meters: &Meters) -> Self {
        // No catalog has a route below these.
        let mut by_path = HashMap::from([
            ("v1/events".into(), Place::Events),
            ("healthz/live".into(), Place::Live),
            ("healthz/ready".into(), Place::Ready),
        ]);
        for (path, document) in documents(catalog, options) {
            by_path.insert(path.into(), Place::Document(document));
        }
        for definition in catalog.events() {
            let Some(path) = definition.route() else {
                continue;
            };
            let reply = Bytes::copy_from_slice(definition.reply().as_bytes());
            let meters = meters.route(path);
            let route = EventRoute { definition: definition.clone(), reply, meters };
            // A catalog's routes start with a slash, each of them.
            let path = path.strip_prefix('/').unwrap_or(path);
            by_path.insert(path.into(), Place::Event(Arc::new(route)));
        }
        let fixed = FixedMeters {
            events: meters.route("/v1/events"),
            live: meters.route("/healthz/live"),
            ready: meters.route("/healthz/ready"),
            documents: meters.route("documents"),
            none: meters.route("none"),
        };
        Self { by_path, fixed }
    }

    /// What is at `path`, if anything.
    pub(crate) fn at(&self, path: &str) -> Option<&Place> {
        self.below(path.strip_prefix('/')?)
    }

    /// What is at the rest of a path, behind the slash that ends the part before it.
    pub(crate) fn below(&self, rest: &str) -> Option<&Place> {
        self.by_path.get(rest).or_else(|| self.schema_at(rest))
    }

    /// A schema whose path is not written as it is here, and may be encoded.
    fn schema_at(&self, rest: &str) -> Option<&Place> {
        static UNKNOWN: Place = Place::UnknownSchema;

        let encoded = rest.strip_prefix("v1/schema/")?;
        let event_type = percent_decode_str(encoded).decode_utf8().unwrap_or_default();
        Some(self.by_path.get(&*format!("v1/schema/{event_type}")).unwrap_or(&UNKNOWN))
    }

    /// The metrics of a place, under the template of its route.
    pub(crate) fn meters<'a>(&'a self, place: Option<&'a Place>) -> &'a RouteMeters {
        match place {
            Some(Place::Event(route)) => &route.meters,
            Some(Place::Events) => &self.fixed.events,
            Some(Place::Live) => &self.fixed.live,
            Some(Place::Ready) => &self.fixed.ready,
            Some(Place::Document(_) | Place::UnknownSchema) => &self.fixed.documents,
            None => &self.fixed.none,
        }
    }
}
