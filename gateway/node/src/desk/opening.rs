//! The content of a message that came in, opened.
//!
//! The one place of the desk where content is opened; every screen reads through it. INVARIANT: content lives in memory
//! only, and `Opened` says who opened it.

use serde_json::{Map, Value};

use super::Desk;
use super::reach::{Trouble, text};

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

/// The content of a message.
///
/// # Errors
/// What the node says when it is not the agency's, was erased or does not open.
pub(super) async fn content(desk: &Desk, id: &str) -> Result<Opened, Trouble> {
    let mut answer = desk.get(&format!("/v1/messages/{id}/content")).await?;
    let mut take = |name: &str| answer.get_mut(name).map(Value::take).unwrap_or_default();
    let (from, header, consent) = (take("from"), take("header"), take("consent"));
    let Value::Object(sections) = take("sections") else { return Err(Trouble::Unreadable) };
    let by_node = text(&answer, "opened_by") == "node";
    Ok(Opened { id: text(&answer, "message_id").to_owned(), by_node, from, header, consent, sections })
}
