use gametel_core::enrich::enrich;
use gametel_core::event::Fields;
use gametel_core::header::{HeaderRule, HeaderRuleError, KeptHeaders};
use proptest::prelude::*;

/// Those that no setting can keep. Not the rule's own list: a name that is lost there must not be
/// lost here.
const CREDENTIALS: [&str; 10] = [
    "Authorization",
    "Proxy-Authorization",
    "Cookie",
    "Set-Cookie",
    "X-Api-Key",
    "X-Auth-Token",
    "X-Otp",
    "X-Pwd",
    "X-Session-Id",
    "X-Steam-Ticket",
];

/// A name in some spelling: of any case, with `_` for `-` where `underscores` says so.
fn spelled(name: &str, cases: &[bool], underscores: bool) -> String {
    let letters =
        name.chars().zip(cases.iter().copied().cycle()).map(|(letter, upper)| match letter {
            '-' | '_' if underscores => '_',
            letter if upper => letter.to_ascii_uppercase(),
            letter => letter.to_ascii_lowercase(),
        });
    letters.collect()
}

fn cases() -> impl Strategy<Value = Vec<bool>> {
    prop::collection::vec(any::<bool>(), 1..20)
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-cA-C]{1,2}", "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}", "(Host|accept|X-Device)"]
}

/// A rule that may be, of names that are not secret.
fn rule() -> impl Strategy<Value = HeaderRule> {
    let names = prop::collection::vec(name(), 0..6);
    names.prop_filter_map("two are one, or one is secret", |names| {
        HeaderRule::new(names, [""; 0]).ok()
    })
}

/// Headers of a request, the kept ones among them.
fn request() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let credential = (prop::sample::select(&CREDENTIALS[..]), cases())
        .prop_map(|(name, cases)| spelled(name, &cases, false));
    let name = prop_oneof![name(), credential];
    prop::collection::vec((name, any::<Vec<u8>>()), 0..12)
}

fn apply(rule: &HeaderRule, headers: &[(String, Vec<u8>)]) -> KeptHeaders {
    rule.apply(headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())))
}

proptest! {
    #[test]
    fn no_spelling_of_a_secret_can_be_kept(
        built_in in prop::sample::select(&CREDENTIALS[..]),
        own in name(),
        (kept_cases, secret_cases) in (cases(), cases()),
        (kept_underscores, secret_underscores) in any::<(bool, bool)>(),
    ) {
        let own_secret = spelled(&own, &secret_cases, secret_underscores);
        for (secret, name) in [(None, built_in), (Some(own_secret), &own)] {
            let kept = spelled(name, &kept_cases, kept_underscores);
            let refused = HeaderRule::new([&kept], secret.as_slice());
            prop_assert!(matches!(refused, Err(HeaderRuleError::Secret { .. })), "{kept}");
        }
    }

    #[test]
    fn what_is_kept_is_on_the_list_and_no_credential(rule in rule(), sent in request()) {
        let kept = apply(&rule, &sent);
        let listed: Vec<_> = rule.kept().collect();
        let mut names = kept.headers.iter().map(|header| header.name());
        // Each at most once, in the order of the list.
        let mut list = listed.iter();
        prop_assert!(names.all(|name| list.any(|listed| *listed == name)));
        for header in &kept.headers {
            let spelled = header.name().replace('_', "-");
            prop_assert!(!CREDENTIALS.iter().any(|secret| secret.eq_ignore_ascii_case(&spelled)));
            let came = |name: &String| name.eq_ignore_ascii_case(header.name());
            prop_assert!(sent.iter().any(|(name, _)| came(name)));
        }
        let lossy = sent.iter().filter(|(name, value)| {
            let is_listed = listed.iter().any(|listed| listed.eq_ignore_ascii_case(name));
            is_listed && std::str::from_utf8(value).is_err()
        });
        prop_assert_eq!(kept.lossy, lossy.count());
    }

    #[test]
    fn keeping_what_was_kept_changes_nothing(rule in rule(), sent in request()) {
        let once = apply(&rule, &sent).headers;
        let pairs = once.iter().map(|header| (header.name(), header.value().as_bytes()));
        let twice = rule.apply(pairs);
        prop_assert_eq!((twice.headers, twice.lossy), (once, 0));
    }

    #[test]
    fn own_fields_win_over_headers_of_their_names(
        rule in rule(),
        sent in request(),
        own in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let kept = apply(&rule, &sent).headers;
        let mut fields = Fields::new();
        for index in own.iter().filter(|_| !kept.is_empty()) {
            fields.insert_str(index.get(&kept).name(), "own");
        }
        let before = fields.clone();
        enrich(&mut fields, &kept);
        for header in &kept {
            let text = if before.get(header.name()).is_some() { "own" } else { header.value() };
            let json = serde_json::to_string(text).unwrap();
            prop_assert_eq!(fields.get(header.name()), Some(json.as_str()));
        }
    }
}
