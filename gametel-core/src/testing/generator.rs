use crate::enrich::enrich;
use crate::event::{EncodedEvent, EventDraft, EventId, EventType, Fields, Stamp, Timestamp};
use crate::header::HeaderRule;

/// Makes the events of a small game, the same ones for the same seed.
///
/// The mix is a guess at a quiet evening: half of the events are the front page's, a third are
/// purchases of equipment, the rest potions and guilds. An encoded event has about 250 bytes. Time
/// starts at 2026-11-24 02:11:33 UTC and moves on by 1 to 20 ms an event.
///
/// ```
/// use gametel_core::testing::EventGenerator;
///
/// let events: Vec<_> = EventGenerator::new(7).take(3).collect();
/// let again: Vec<_> = EventGenerator::new(7).take(3).collect();
/// assert_eq!(events[2].payload(), again[2].payload());
/// ```
#[derive(Clone, Debug)]
pub struct EventGenerator {
    state: u64,
    now: Timestamp,
}

const HOSTS: [&str; 5] =
    ["user1.comcast.com", "user2.att.com", "user3.att.com", "game.example", "10.0.0.17:5000"];

const AGENTS: [&str; 3] = [
    "ApacheBench/2.3",
    "UnityPlayer/2022.3.20f1 (UnityWebRequest/1.0, libcurl/8.5.0-DEV)",
    "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 7 Build/UQ1A.240205.002)",
];

const GUILDS: [&str; 4] = ["Night Watch", "Die Ritter der Tafelrunde", "ギルド", "red \"ravens\""];

impl EventGenerator {
    /// A generator whose events follow from `seed` alone.
    pub fn new(seed: u64) -> Self {
        Self { state: seed, now: Timestamp::from_micros(1_795_486_293_846_000) }
    }

    /// A number below `limit`, by SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
    fn below(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        let index = self.below(choices.len() as u64);
        choices[usize::try_from(index).expect("an index of a slice")]
    }

    /// The next event, before it is encoded.
    pub fn draft(&mut self) -> EventDraft {
        let mut fields = Fields::new();
        let event_type = match self.below(100) {
            0..50 => "default",
            50..62 => "purchase_sword",
            62..74 => "purchase_shield",
            74..84 => "purchase_spear",
            84..94 => {
                fields.insert_str("description", "heals you for 50 hp");
                "purchase_potion"
            }
            _ => {
                fields.insert_str("guild", self.pick(&GUILDS));
                "join_guild"
            }
        };
        let headers = [
            ("host", self.pick(&HOSTS).as_bytes()),
            ("user-agent", self.pick(&AGENTS).as_bytes()),
            ("accept", b"*/*"),
        ];
        enrich(&mut fields, &HeaderRule::default().apply(headers).headers);
        EventDraft::new(EventType::new(event_type), fields)
    }

    fn stamp(&mut self) -> Stamp {
        let pause = 1_000 + self.below(19_000);
        let micros = self.now.as_micros() + i64::try_from(pause).expect("below 20,000");
        self.now = Timestamp::from_micros(micros);
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.below(u64::MAX).to_be_bytes());
        random[8..].copy_from_slice(&self.below(1 << 16).to_be_bytes()[6..]);
        let id = EventId::from_parts(self.now, random);
        Stamp { id, received_at: self.now }
    }
}

impl Iterator for EventGenerator {
    type Item = EncodedEvent;

    /// Never ends.
    fn next(&mut self) -> Option<EncodedEvent> {
        let draft = self.draft();
        let stamp = self.stamp();
        Some(draft.encode(&[], stamp).expect("the fields are the generator's own"))
    }
}
