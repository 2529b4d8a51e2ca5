//! Which agreements bind: those that the membership says were signed by every party.
//!
//! Not here: what an agreement covers. INVARIANT: outside training an agreement that nobody signed is absent.

use puente_core::ids::Realm;
use puente_core::membership::Membership;
use puente_core::policy::{Agreements, TYP_AGREEMENT};

use crate::keys::Jose;
use crate::node::Node;

/// The members' word at an instant.
pub struct Trust<'a> {
    /// The federation.
    pub membership: &'a Membership,
    /// The realm of the node.
    pub realm: Realm,
    /// Seconds since the epoch.
    pub now_s: i64,
}

impl Trust<'_> {
    /// The agreements that bind.
    #[must_use]
    pub fn admit(&self, agreements: &Agreements) -> Agreements {
        agreements.admitted(self.realm, |country, document| {
            self.membership.signed(country, TYP_AGREEMENT, document, self.now_s, &Jose)
        })
    }
}

/// The agreements that bind for a running node now.
#[must_use]
pub fn binding(node: &Node, agreements: &Agreements) -> Agreements {
    let membership = node.membership.get();
    let trust = Trust { membership: &membership, realm: node.realm(), now_s: node.clock.now_s() };
    trust.admit(agreements)
}
