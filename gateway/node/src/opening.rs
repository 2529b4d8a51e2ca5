//! Opening an inbound message: with the role keys of the node, or on an authority's own machine with the keys that it alone
//! has. One routine for both.
//!
//! Not here: who may ask. INVARIANT: content exists only in memory, as `Personal`; nothing here stores it.

use serde_json::{Map, Value, json};

use puente_core::catalogue::Catalogue;
use puente_core::delivery::{Direction, MessageRow};
use puente_core::envelope::{Open, VerifiedInner, VerifiedOuter, claimed_key, read_stored, verify_inner};
use puente_core::ids::{AgencyId, KeyId, ReleaseId};
use puente_core::problem::{self, Problem};

use crate::keys::Openers;
use crate::node::Node;
use crate::store::ERASED;

/// Who opens a message.
pub enum Opens<'a> {
    /// The node, with this key of its own.
    Node(&'a dyn Open),
    /// An agency that alone has the key; the node only carries.
    Agency {
        /// Which agency.
        agency: AgencyId,
        /// Until when the key stands, seconds; what was sealed to it opens afterwards too.
        until_s: i64,
    },
}

/// Who opens a message that came in here.
///
/// # Errors
/// `seal.unopenable` when it is sealed to no key of this country.
pub fn opens<'a>(node: &'a Node, outer: &VerifiedOuter) -> Result<Opens<'a>, Problem> {
    let kid = sealed_to(outer)?;
    if let Some(opener) = node.keys.openers.get(&kid) {
        return Ok(Opens::Node(opener.as_ref()));
    }
    let register = node.register.get();
    let held = register.opens_itself(&kid);
    held.map(|(agency, until_s)| Opens::Agency { agency: agency.clone(), until_s })
        .ok_or_else(|| Problem::new(&problem::SEAL_UNOPENABLE))
}

/// Outer and inner form of an inbound message; the schema of every section is checked too.
///
/// # Errors
/// As [`outer_of`] and [`open`]: then the content is not to be used.
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
/// `seal.held_by_agency` when the node only carries it; otherwise as [`open_wire`].
pub fn open(node: &Node, outer: &VerifiedOuter) -> Result<VerifiedInner, Problem> {
    match opens(node, outer)? {
        Opens::Node(opener) => open_with(opener, &node.rules.get().catalogue, outer),
        Opens::Agency { .. } => Err(Problem::new(&problem::SEAL_HELD_BY_AGENCY)),
    }
}

/// Outer and inner form of a message as a node handed it on, opened with one of these keys.
///
/// The node verified its signatures when it accepted this release, and the release is the digest of the bytes.
///
/// # Errors
/// `envelope.malformed` when the bytes are not those of the release; of the second, `seal.key_missing` when none of the keys is
/// the one that it is sealed to; `seal.unopenable`, `disclosure.invalid`, `schema.invalid`: then the content is not to be
/// used; `type.unknown` when the catalogue is older than the message.
pub fn open_wire(
    openers: &Openers,
    catalogue: &Catalogue,
    wire: &[u8],
    release: ReleaseId,
) -> Result<(VerifiedOuter, Result<VerifiedInner, Problem>), Problem> {
    let outer = read_stored(wire, release)?;
    let inner = sealed_to(&outer).and_then(|kid| {
        let opener = openers.get(&kid).ok_or_else(|| Problem::new(&problem::SEAL_KEY_MISSING))?;
        open_with(opener.as_ref(), catalogue, &outer)
    });
    Ok((outer, inner))
}

fn open_with(
    opener: &dyn Open,
    catalogue: &Catalogue,
    outer: &VerifiedOuter,
) -> Result<VerifiedInner, Problem> {
    let inner = verify_inner(outer, opener)?;
    let header = &outer.claims().puente;
    let descriptor = catalogue
        .descriptor(&header.message_type, Some(header.version))
        .ok_or_else(|| Problem::new(&problem::TYPE_UNKNOWN))?;
    for (category, value) in inner.sections() {
        if let Some(invalid) = catalogue.validate(descriptor, category, value.reveal()).first() {
            return Err(Problem::new(&problem::SCHEMA_INVALID).at(format!("/{category}{}", invalid.pointer)));
        }
    }
    Ok(inner)
}

/// What is shown of an opened message, and who opened it: `node` or `agency`.
#[must_use]
pub fn shown(outer: &VerifiedOuter, inner: &VerifiedInner, opened_by: &str) -> Value {
    let claims = outer.claims();
    let sections: Map<String, Value> = inner
        .sections()
        .iter()
        .map(|(category, value)| (category.to_string(), value.reveal().clone()))
        .collect();
    json!({
        "message_id": claims.jti,
        "from": {"country": claims.iss, "agency": claims.puente.sender.agency, "role": claims.puente.sender.role},
        "header": claims.puente,
        "consent": claims.consent,
        "issued_at": claims.iat,
        "expires_at": claims.exp,
        "opened_by": opened_by,
        "sections": sections,
    })
}

/// The key that a message says it is sealed to.
fn sealed_to(outer: &VerifiedOuter) -> Result<KeyId, Problem> {
    let kid = outer.sealed().first().and_then(|sealed| claimed_key(sealed));
    kid.ok_or_else(|| Problem::new(&problem::SEAL_UNOPENABLE))
}
