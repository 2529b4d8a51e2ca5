//! The claims of the issuer JWT: routing header, consent extract, commitments.
//!
//! Not here: the sections themselves; they travel sealed. INVARIANT: nothing in these types depends on a
//! category that was withheld or on a row that was refused (PROTOCOL.md, "What must not show").

use serde::{Deserialize, Serialize};

use crate::envelope::Jwk;
use crate::ids::{
    AgencyId, AgreementId, CaseId, Category, ConsentId, CountryCode, DecisionId, Digest, MessageId,
    MessageType, OperationId, Purpose, Realm, Role,
};

/// Where a message comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SenderRef {
    /// Country; equals `iss`.
    pub country: CountryCode,
    /// The agency that submitted.
    pub agency: AgencyId,
    /// The role in which it acts.
    pub role: Role,
}

/// Whom a message is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipientRef {
    /// Country; equals `aud`.
    pub country: CountryCode,
    /// The role; sections are sealed to its key.
    pub role: Role,
    /// One agency of that role, when it matters which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<AgencyId>,
}

/// On what the disclosure rests (DOMAIN.md 3.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasisRef {
    /// Legal-basis code, such as `legal_obligation`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The agreement, when the basis is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<AgreementId>,
}

/// What the receiver may do with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handling {
    /// `none`, `domestic_same_purpose` or `with_permission`.
    pub onward: String,
    /// How long the receiver may keep the content, days.
    pub retention_days: u32,
}

/// The routing header: what the receiving gateway needs and nothing more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Message type.
    #[serde(rename = "type")]
    pub message_type: MessageType,
    /// Version of the type's descriptor and schemas.
    pub version: u32,
    /// Sender.
    pub sender: SenderRef,
    /// Recipient.
    pub recipient: RecipientRef,
    /// The thread.
    pub case: CaseId,
    /// The return operation, when it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// The message of the same (case, lane, sender, recipient) that takes effect before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<MessageId>,
    /// The message that this one answers; of a step of a case, the offer of its transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<MessageId>,
    /// The message in whose place this one comes, because the key that it was sealed to is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<MessageId>,
    /// The hours that the clocks of a case need, when it is a step of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepRef>,
    /// Pairwise pseudonym of the subject: another one toward every peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_ref: Option<String>,
    /// Purpose code.
    pub purpose: Purpose,
    /// Legal basis.
    pub legal_basis: BasisRef,
    /// Handling.
    pub handling: Handling,
    /// Attachments by the root of their ciphertext: the message is accepted only once all chunks are durable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<AttachmentRef>,
}

/// What the two gateways need of a step of a case to keep its clocks. Instants are seconds since the epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRef {
    /// When it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// By when the child is to be handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<i64>,
    /// Which follow-up it is: so many days after the reception.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<u16>,
}

/// An attachment as the gateways see it: ciphertext that neither can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttachmentRef {
    /// RFC 6962 root over the ciphertext chunks.
    pub root: Digest,
    /// Number of chunks.
    pub chunks: u32,
}

/// What the receiver may know of the consent that a message rests on (PROTOCOL.md section 7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentExtract {
    /// Identifier of the consent record.
    pub id: ConsentId,
    /// Digest of the signed record.
    pub record: Digest,
    /// Who gave it: subject, parent, guardian ...
    pub given_by: String,
    /// Purposes that it covers.
    pub purposes: Vec<Purpose>,
    /// Categories that it covers.
    pub categories: Vec<Category>,
    /// Seconds since the epoch after which it no longer stands.
    pub not_after: i64,
}

/// The policy that permitted the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRef {
    /// Digest of the policies in force.
    pub digest: Digest,
    /// The recorded decision.
    pub decision: DecisionId,
}

/// Commitments to every category of the message, withheld and decoy ones included (RFC 9901 section 4.2.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sections {
    /// Sorted digests.
    #[serde(rename = "_sd")]
    pub sd: Vec<Digest>,
}

/// The gateway key that alone may release what an agency signed (RFC 7800 section 3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// Public key, as it stands in the country's directory.
    pub jwk: Jwk,
}

/// The payload of the issuer JWT: of an agency with `cnf`, of its gateway with the last three (`Mode`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerClaims {
    /// Origin country.
    pub iss: CountryCode,
    /// Destination country.
    pub aud: CountryCode,
    /// Issued at, seconds.
    pub iat: i64,
    /// Expires at, seconds.
    pub exp: i64,
    /// Message id.
    pub jti: MessageId,
    /// Realm.
    pub realm: Realm,
    /// Hash of the disclosures: always `sha-256`.
    #[serde(rename = "_sd_alg")]
    pub sd_alg: String,
    /// Routing header.
    pub puente: Header,
    /// Consent extract, when the basis is a consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentExtract>,
    /// Commitments.
    pub sections: Sections,
    /// Who may release it, when an agency signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// Sorted digests of the disclosures that were released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Vec<Digest>>,
    /// SHA-256 of each sealed part, in wire order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enc_hash: Option<Vec<Digest>>,
    /// Policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyRef>,
}

/// The payload of the gateway's release of what an agency signed: a key-binding JWT (RFC 9901 section 4.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BindingClaims {
    /// Released at, seconds.
    pub iat: i64,
    /// Destination country.
    pub aud: CountryCode,
    /// The message that is released: the issuer's `jti`.
    pub nonce: MessageId,
    /// Digest of the issuer JWT with the released disclosures, as RFC 9901 section 4.3.1 writes them.
    pub sd_hash: Digest,
    /// SHA-256 of each sealed part, in wire order.
    pub enc_hash: Vec<Digest>,
    /// Policy.
    pub policy: PolicyRef,
}

/// The authenticated context of a sealed part: what the gateway may know of what it cannot read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealContext {
    /// The message it belongs to, so that it cannot be moved into another.
    pub jti: MessageId,
    /// The role whose key opens it.
    pub role: Role,
    /// Released categories, sorted.
    pub labels: Vec<Category>,
}
