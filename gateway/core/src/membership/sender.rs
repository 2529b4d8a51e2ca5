//! The keys under which one country's messages verify, at one instant.

use std::sync::Arc;

use crate::envelope::{Jwk, SenderKeys, Verify};
use crate::ids::{AgencyId, CountryCode, KeyId};
use crate::membership::{KeyUse, Membership};

/// A country's senders as its directory has them.
#[derive(Clone, Copy)]
pub struct SendersOf<'a> {
    /// The verified membership.
    pub membership: &'a Membership,
    /// Which country.
    pub country: &'a CountryCode,
    /// At which instant, seconds.
    pub at: i64,
}

impl SenderKeys for SendersOf<'_> {
    fn gateway(&self, kid: &KeyId) -> Option<Arc<dyn Verify>> {
        self.membership.verifier(self.country, KeyUse::Message, kid, self.at)
    }

    fn is_gateway(&self, kid: &KeyId, jwk: &Jwk) -> bool {
        self.membership.message_key(self.country, kid) == Some(jwk)
    }

    fn agency(&self, kid: &KeyId) -> Option<(AgencyId, Arc<dyn Verify>)> {
        self.membership.agency_key(self.country, kid, self.at)
    }

    fn signs_itself(&self, agency: &AgencyId) -> bool {
        self.membership.signs_itself(self.country, agency)
    }
}
