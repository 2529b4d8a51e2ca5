//! Which agreements bind: those that the membership says were signed by every party.
//!
//! Not here: what an agreement covers. INVARIANT: outside training an agreement that nobody signed is absent.

use puente_core::ids::Realm;
use puente_core::membership::Membership;
use puente_core::policy::{Agreements, TYP_AGREEMENT};

use crate::clock::Clock;
use crate::keys::Jose;
use crate::node::Node;

/// The members' word at an instant.
pub struct Trust<'a> {
    /// The federation.
    pub membership: &'a Membership,
    /// The realm of the node.
    pub realm: Realm,
    /// The instant judged at.
    pub clock: &'a dyn Clock,
}

impl Trust<'_> {
    /// The agreements that bind.
    #[must_use]
    pub fn admit(&self, agreements: &Agreements) -> Agreements {
        agreements.admitted(self.realm, |country, document| {
            self.membership.signed(country, TYP_AGREEMENT, document, self.clock.now_s(), &Jose)
        })
    }
}

/// The agreements that bind for a running node now.
#[must_use]
pub fn binding(node: &Node, agreements: &Agreements) -> Agreements {
    let membership = node.membership.get();
    let trust = Trust { membership: &membership, realm: node.realm(), clock: node.clock.as_ref() };
    trust.admit(agreements)
}
