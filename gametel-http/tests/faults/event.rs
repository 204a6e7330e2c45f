//! The events that the clients send: each with an id of its own, and with fields whose bytes are
//! easily altered.

use std::fmt::Write;
use std::sync::OnceLock;

use crate::ledger::{Fate, Id, Sent, Worth, fingerprint, uuid};

/// An event, as it is sent.
#[derive(Clone, Debug)]
pub(crate) struct TestEvent {
    pub(crate) sent: Sent,
    /// The route of its own.
    pub(crate) route: &'static str,
    pub(crate) event_type: &'static str,
    /// Its members from the id on, as JSON without the braces.
    members: String,
}

const TYPES: [(&str, &str); 4] = [
    ("/purchase_a_sword", "purchase_sword"),
    ("/purchase_a_shield", "purchase_shield"),
    ("/purchase_a_spear", "purchase_spear"),
    ("/purchase_a_potion", "purchase_potion"),
];

/// JSON texts that a careless hand would write anew in another way.
const PRICES: [&str; 6] = ["1.10", "1e2", "-0", "12345678901234567890.5", "0.1000", "7"];
const TAGS: [&str; 4] = ["[]", "[1,{\"a\":null}]", "{\"b\":[true,false],\"a\":\"\"}", "null"];
const TEXTS: [&str; 6] =
    ["caf\\u00e9", "café 😀", "\\\"\\\\\\/", "\\u0000", "<&>", "\\ud83d\\ude00"];

impl TestEvent {
    /// Makes the client's next event, with some `padding` bytes that compress badly.
    pub(crate) fn good(
        random: &mut fastrand::Rng,
        client: u32,
        number: u32,
        padding: usize,
    ) -> Self {
        let price = *random.choice(&PRICES).expect("there are some");
        Self::new(random, client, number, padding, price)
    }

    /// Makes one that has to be refused for good: its type is in no catalog.
    pub(crate) fn bad(random: &mut fastrand::Rng, client: u32, number: u32) -> Self {
        let mut event =
            Self { event_type: "no_such_type", ..Self::good(random, client, number, 0) };
        event.sent.worth = Worth::Bad;
        event
    }

    /// Makes one whose price is none, where the catalog says that it is a number.
    pub(crate) fn misfit(random: &mut fastrand::Rng, client: u32, number: u32) -> Self {
        let mut event = Self::new(random, client, number, 0, "\"a \\u00e0 lot\"");
        event.sent.worth = Worth::Misfit;
        event
    }

    fn new(
        random: &mut fastrand::Rng,
        client: u32,
        number: u32,
        padding: usize,
        price: &str,
    ) -> Self {
        let (route, event_type) = *random.choice(&TYPES).expect("there are some");
        let tags = *random.choice(&TAGS).expect("there are some");
        let mut text = format!("\"{}", random.choice(&TEXTS).expect("there are some"));
        let noise = noise();
        let start = random.usize(..noise.len() - padding);
        text.push_str(&noise[start..start + padding]);
        text.push('"');
        let id: Id = random.u128(..);
        let (client_text, number_text) = (client.to_string(), number.to_string());
        let members = format!(
            "\"event_id\":\"{}\",\"client\":{client},\"number\":{number},\"price\":{price},\
             \"text\":{text},\"tags\":{tags}",
            uuid(id)
        );
        let quoted = format!("\"{event_type}\"");
        let fields = [&quoted, &client_text, &number_text, price, &text, tags];
        let sent = Sent {
            id,
            fingerprint: fingerprint(fields),
            client,
            number,
            worth: Worth::Good,
            fate: Fate::Unknown,
            tries: 0,
            lives: Vec::new(),
        };
        Self { sent, route, event_type, members }
    }

    /// The body for its own route.
    pub(crate) fn body(&self) -> String {
        format!("{{{}}}", self.members)
    }

    /// The object for `/v1/events`.
    pub(crate) fn object(&self) -> String {
        format!("{{\"event_type\":\"{}\",{}}}", self.event_type, self.members)
    }
}

/// Text that compresses badly, of which each event has a piece: to make it anew for each of them takes
/// longer than to send it.
fn noise() -> &'static str {
    const PIECES: usize = 256 * 1024;
    static NOISE: OnceLock<String> = OnceLock::new();
    NOISE.get_or_init(|| {
        let mut random = fastrand::Rng::with_seed(1);
        let mut noise = String::new();
        for _ in 0..PIECES {
            write!(noise, "{:032x}", random.u128(..)).expect("a string takes it");
        }
        noise
    })
}
