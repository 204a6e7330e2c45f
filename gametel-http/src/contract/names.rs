use std::collections::HashSet;

use gametel_core::catalog::{Catalog, EventDefinition};

/// The events, each with a name that may stand in an OpenAPI document: an event's type may have any
/// character in it, a component's name few.
pub(super) fn named_events(catalog: &Catalog) -> Vec<(String, &EventDefinition)> {
    let mut taken = HashSet::new();
    let named = catalog.events().iter().map(|event| {
        let plain = plain_name(event.event_type().as_str());
        let mut name = plain.clone();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{plain}_{number}");
            number += 1;
        }
        (name, event)
    });
    named.collect()
}

fn plain_name(event_type: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    event_type.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_events_share_a_name() {
        let mut catalog = Catalog::builder("arena");
        for event_type in ["duel.won", "duel_won", "duel_won_2", "duel won", "düll"] {
            catalog = catalog.event(EventDefinition::new(event_type));
        }
        let catalog = catalog.build().unwrap();
        let names: Vec<_> = named_events(&catalog).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["duel_won", "duel_won_2", "duel_won_2_2", "duel_won_3", "d_ll"]);
    }
}
