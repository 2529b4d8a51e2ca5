//! Signing on the agency's own machine: ask the node what it would demand, sign that, and hand it in.
//!
//! Not here: submitting (`message`). INVARIANT: the private key is read on this machine and never sent; what is signed is
//! the content of the file, and of the claims only what the node demands for that very content.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use puente_core::envelope::issue;
use puente_core::ids::Category;
use puente_core::personal::Personal;
use puente_node::domestic::submit::ToSign;
use puente_node::keys::{KeyFile, KeyUse, Signer, SystemRandom};

use crate::command::verdict;
use crate::reach::{Acting, read_json};

/// What became of asking for one message.
pub enum Asked {
    /// Signed, in the form in which it is submitted.
    Signed(Value),
    /// It would not be taken: the node's verdict.
    Refused(Value),
}

/// The key of a file, for signing.
///
/// # Errors
/// When it cannot be read, is open to others or is no private key.
pub fn key(file: &Path) -> anyhow::Result<Signer> {
    Ok(KeyFile::load(file, KeyUse::Sign)?.signer()?)
}

/// Asks what to sign of one message and signs it.
///
/// # Errors
/// When the node refuses the question, or the agency's gateway signs for it.
pub async fn sign(acting: &Acting, key: &Signer, mut message: Value) -> anyhow::Result<Asked> {
    let question = serde_json::to_vec(&message)?;
    let answer = acting.post("/v1/messages/dry-run", "application/json", None, question).await?;
    let would = read_json(&answer)?;
    if !verdict::is_taken(&would) {
        return Ok(Asked::Refused(would));
    }
    let Some(demanded) = would.get("sign") else {
        anyhow::bail!("the gateway signs this message for the agency; send it without --sign");
    };
    let demanded: ToSign = serde_json::from_value(demanded.clone())?;
    let members = message.as_object_mut().context("not a message")?;
    let sections = members.remove("sections").unwrap_or_default();
    let sections: BTreeMap<Category, Personal<Value>> = serde_json::from_value(sections)?;
    // The thread that the node gave it is signed, so it is the thread from now on.
    members.insert("case".to_owned(), json!(demanded.claims.puente.case));
    let signed = issue(demanded.claims, &sections, key, &SystemRandom)?;
    members.insert("signed".to_owned(), Value::String(signed));
    Ok(Asked::Signed(message))
}
