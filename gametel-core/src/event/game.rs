//! The events of the built-in catalog `game`: four purchases, a guild joined, and the front page.

use serde::Serialize;

use super::Event;

/// Somebody called the front page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DefaultEvent;

/// A player bought a sword.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PurchaseSword;

/// A player bought a shield.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PurchaseShield;

/// A player bought a spear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PurchaseSpear;

/// A player bought a potion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PurchasePotion {
    /// What the potion does, in words.
    pub description: String,
}

impl PurchasePotion {
    /// The only potion that the game sells, by its description.
    pub const DESCRIPTION: &'static str = "heals you for 50 hp";
}

impl Default for PurchasePotion {
    fn default() -> Self {
        Self { description: Self::DESCRIPTION.to_owned() }
    }
}

/// A player joined a guild.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JoinGuild {
    /// The guild's name.
    pub guild: String,
}

impl Event for DefaultEvent {
    const TYPE: &'static str = "default";
}

impl Event for PurchaseSword {
    const TYPE: &'static str = "purchase_sword";
}

impl Event for PurchaseShield {
    const TYPE: &'static str = "purchase_shield";
}

impl Event for PurchaseSpear {
    const TYPE: &'static str = "purchase_spear";
}

impl Event for PurchasePotion {
    const TYPE: &'static str = "purchase_potion";
}

impl Event for JoinGuild {
    const TYPE: &'static str = "join_guild";
}
