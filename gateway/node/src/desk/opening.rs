//! The content of a message that came in, opened.
//!
//! The one place of the desk where content is opened; every screen reads through it. INVARIANT: content lives in memory
//! only, and is shown once the sender's receipt of its opening is durable, whoever opened it.

use serde_json::{Map, Value};

use puente_core::catalogue::Catalogue;
use puente_core::opening::{Opening, TYP_OPENING};
use puente_core::problem;

use crate::keys::Openers;
use crate::opening::{open_wire, shown};

use super::Desk;
use super::reach::{Trouble, text};

/// What an authority that holds its own key opens with.
pub struct OwnKeys {
    /// Its keys, those that have ended too: what was sealed to them opens still.
    pub openers: Openers,
    /// What a message of each type may hold.
    pub catalogue: Catalogue,
}

/// An opened message; without `Debug`, for it is content.
pub(super) struct Opened {
    /// The message.
    pub(super) id: String,
    /// Whether the node opened it, and not this desk.
    pub(super) by_node: bool,
    /// Country, agency and role of the sender.
    pub(super) from: Value,
    /// The signed routing header.
    pub(super) header: Value,
    /// The consent that it rests on, null when none.
    pub(super) consent: Value,
    /// Content by category.
    pub(super) sections: Map<String, Value>,
}

impl Opened {
    /// A member of a section.
    pub(super) fn at(&self, category: &str, member: &str) -> Option<&Value> {
        self.sections.get(category)?.get(member)
    }
}

/// The content of a message, opened by the node or, where the authority alone has the key, here.
///
/// # Errors
/// What the node says when it is not the agency's or was erased; what is wrong with a message that does not open.
pub(super) async fn content(desk: &Desk, id: &str) -> Result<Opened, Trouble> {
    match desk.get(&format!("/v1/messages/{id}/content")).await {
        Err(Trouble::Refused { code, .. }) if code == problem::SEAL_HELD_BY_AGENCY.code => {
            read(open_here(desk, id).await?)
        }
        answer => read(answer?),
    }
}

/// Opens what the node only carries. The officer's word on it comes first, so that its sender knows before anybody reads.
async fn open_here(desk: &Desk, id: &str) -> Result<Value, Trouble> {
    let carried = desk.get(&format!("/v1/messages/{id}/sealed")).await?;
    let release = text(&carried, "release").parse().map_err(|_| Trouble::Unreadable)?;
    let OwnKeys { openers, catalogue } = &desk.own_keys;
    let (outer, opened) = open_wire(openers, catalogue, text(&carried, "wire").as_bytes(), release)?;
    if let Some(word) = Opening::of(&outer, &opened) {
        let signed = desk.officer.acts(TYP_OPENING, word, desk.at_screen())?;
        desk.say(&format!("/v1/messages/{id}/opened"), signed).await?;
    }
    Ok(shown(&outer, &opened?, "agency"))
}

fn read(mut answer: Value) -> Result<Opened, Trouble> {
    let mut take = |name: &str| answer.get_mut(name).map(Value::take).unwrap_or_default();
    let (from, header, consent) = (take("from"), take("header"), take("consent"));
    let Value::Object(sections) = take("sections") else { return Err(Trouble::Unreadable) };
    let by_node = text(&answer, "opened_by") == "node";
    Ok(Opened { id: text(&answer, "message_id").to_owned(), by_node, from, header, consent, sections })
}
