//! Opening a stored inbound message with a role key that this node holds.
//!
//! Not here: who may ask. INVARIANT: content exists only in memory, as `Personal`; nothing here stores it.

use puente_core::delivery::{Direction, MessageRow};
use puente_core::envelope::{VerifiedInner, VerifiedOuter, claimed_key, read_stored, verify_inner};
use puente_core::problem::{self, Problem};

use crate::node::Node;
use crate::store::ERASED;

/// Outer and inner form of an inbound message; the schema of every section is checked too.
///
/// # Errors
/// As [`outer_of`] and [`open`]: `schema.invalid`: then the content is not to be used.
pub fn open_stored(node: &Node, row: &MessageRow) -> Result<(VerifiedOuter, VerifiedInner), Problem> {
    let outer = outer_of(row)?;
    let inner = open(node, &outer)?;
    Ok((outer, inner))
}

/// Outer form of an inbound message, as it was accepted.
///
/// # Errors
/// `not_found` for a message of this country's own, `message.erased`, and `envelope.malformed` when it does not read back.
pub fn outer_of(row: &MessageRow) -> Result<VerifiedOuter, Problem> {
    if row.direction != Direction::In {
        return Err(Problem::new(&problem::NOT_FOUND));
    }
    if row.state == ERASED {
        return Err(Problem::new(&problem::ERASED));
    }
    read_stored(&row.wire, row.release)
}

/// Inner form of a message whose outside was verified; the schema of every section is checked too.
///
/// # Errors
/// As the inner verification, and `schema.invalid`: then the content is not to be used.
pub fn open(node: &Node, outer: &VerifiedOuter) -> Result<VerifiedInner, Problem> {
    let unopenable = || Problem::new(&problem::SEAL_UNOPENABLE);
    let kid = outer.sealed().first().and_then(|sealed| claimed_key(sealed)).ok_or_else(unopenable)?;
    let opener = node.keys.openers.get(&kid).ok_or_else(unopenable)?;
    let inner = verify_inner(outer, opener.as_ref())?;
    let rules = node.rules.get();
    let header = &outer.claims().puente;
    let descriptor = rules
        .catalogue
        .descriptor(&header.message_type, Some(header.version))
        .ok_or_else(|| Problem::new(&problem::TYPE_UNKNOWN))?;
    for (category, value) in inner.sections() {
        if let Some(invalid) = rules.catalogue.validate(descriptor, category, value.reveal()).first() {
            return Err(Problem::new(&problem::SCHEMA_INVALID).at(format!("/{category}{}", invalid.pointer)));
        }
    }
    Ok(inner)
}
