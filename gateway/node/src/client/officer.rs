//! An officer at their own machine: what they say, signed with their own key.
//!
//! Not here: what a node makes of it. INVARIANT: the key stays where the officer is; what leaves is the signed word.

use jiff::Zoned;
use puente_core::approval::{Captured, Statement, TYP_STATEMENT, Verdict};
use puente_core::envelope::Sign as _;
use puente_core::ids::{AgencyId, ApprovalId, CountryCode, Digest, OfficerId, Realm};
use puente_core::protection::Act;
use serde::Serialize;

use crate::client::ClientError;
use crate::keys::{KeyFile, Signer};

/// Who an officer is, and the key with which they sign.
pub struct Officer {
    /// The realm in which anything they say counts.
    pub realm: Realm,
    /// Their country.
    pub country: CountryCode,
    /// Their agency.
    pub agency: AgencyId,
    /// Themselves, as their agency registered them.
    pub officer: OfficerId,
    signer: Signer,
}

/// What is decided on a held row or on a proposed set of policies.
#[derive(Debug, Clone)]
pub struct Decides {
    /// On which.
    pub approval: ApprovalId,
    /// Digest of the preview that was read.
    pub preview: Digest,
    /// Whether it may go.
    pub verdict: Verdict,
    /// Why, as a code; no personal data.
    pub reason: String,
}

/// When something was decided, and how it reached the system.
#[derive(Debug, Clone)]
pub struct Decided {
    /// The instant, with the office's zone.
    pub at: Zoned,
    /// How it was captured.
    pub captured: Captured,
}

impl Officer {
    /// The officer of this agency who holds this key.
    ///
    /// # Errors
    /// `Key` when it is no signing key.
    pub fn new(
        (realm, country, agency): (Realm, CountryCode, AgencyId),
        officer: OfficerId,
        key: &KeyFile,
    ) -> Result<Self, ClientError> {
        Ok(Self { realm, country, agency, officer, signer: key.signer()? })
    }

    /// A statement on a held row or a proposed set, compact JWS.
    ///
    /// # Errors
    /// `Signing` when the key does not sign.
    pub fn states(&self, decides: Decides, when: Decided) -> Result<String, ClientError> {
        let Decides { approval, preview, verdict, reason } = decides;
        let statement = Statement {
            realm: self.realm,
            country: self.country.clone(),
            agency: self.agency.clone(),
            officer: self.officer.clone(),
            approval,
            preview,
            verdict,
            reason,
            occurred_at: when.at,
            captured: when.captured,
        };
        self.sign(TYP_STATEMENT, &statement)
    }

    /// An act of this kind, compact JWS.
    ///
    /// # Errors
    /// As [`Officer::states`].
    pub fn acts<T: Serialize>(&self, typ: &str, says: T, when: Decided) -> Result<String, ClientError> {
        let act = Act {
            realm: self.realm,
            country: self.country.clone(),
            agency: self.agency.clone(),
            officer: self.officer.clone(),
            occurred_at: when.at,
            captured: when.captured,
            says,
        };
        self.sign(typ, &act)
    }

    fn sign<T: Serialize>(&self, typ: &str, claims: &T) -> Result<String, ClientError> {
        let claims = serde_json::to_vec(claims).map_err(|_| ClientError::Form)?;
        Ok(self.signer.sign(typ, &claims)?)
    }
}
