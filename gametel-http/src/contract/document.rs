use bytes::Bytes;
use gametel_core::catalog::Catalog;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use warp::reply::Response;

use crate::config::RouteOptions;

use super::openapi::openapi;

/// A document that is served as it is; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    content_type: &'static str,
    body: Bytes,
}

impl Document {
    /// The answer that has it.
    pub(crate) fn to_response(&self) -> Response {
        let mut response = Response::new(self.body.clone().into());
        let content_type = HeaderValue::from_static(self.content_type);
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response
    }
}

/// Every document, and its path without the slash at the start. The path of a schema ends in the
/// event's type as it is: what a client sends has to be decoded first.
pub(crate) fn documents(catalog: &Catalog, options: &RouteOptions) -> Vec<(String, Document)> {
    let mut documents = vec![
        ("openapi.json".to_owned(), json_document(&openapi(catalog, options))),
        ("v1/schema".to_owned(), json_document(&schema_list(catalog))),
    ];
    for event in catalog.events() {
        let name = event.event_type().as_str();
        let schema = catalog.json_schema(name).expect("the catalog has its own events");
        let document =
            Document { content_type: "application/schema+json", body: Bytes::from(schema) };
        documents.push((format!("v1/schema/{name}"), document));
    }
    documents
}

fn json_document(value: &Value) -> Document {
    Document { content_type: "application/json", body: Bytes::from(value.to_string()) }
}

/// The types with their schemas. The links are relative to the list's own address, so that they hold
/// below any prefix.
fn schema_list(catalog: &Catalog) -> Value {
    let entries = catalog.events().iter().map(|event| {
        let name = event.event_type().as_str();
        let link = format!("schema/{}", utf8_percent_encode(name, NON_ALPHANUMERIC));
        let mut entry = json!({ "event_type": name, "schema": link });
        if let Some(description) = event.description() {
            entry["description"] = description.into();
        }
        entry
    });
    json!({ "catalog": catalog.name(), "schemas": entries.collect::<Vec<_>>() })
}
