//! Receipts: one signature per batch, one proof per message (PROTOCOL.md section 2).
//!
//! A receipt verifies alone: entry, inclusion path, signed root. It reveals no neighbour and stays the
//! same for ever. INVARIANT: an entry is hashed as the text that was signed, never re-serialised.

use serde::{Deserialize, Serialize};

use crate::envelope::{CryptoFailure, Sign, Verify};
use crate::evidence::merkle::{MAX_LEAVES, MerkleTree, leaf_hash, root_from_path};
use crate::ids::{CountryCode, Digest, MessageId, Realm, ReleaseId};
use crate::problem::{self, Problem};

/// `typ` of the signed root.
pub const TYP_RECEIPT: &str = "puente-receipt+jwt";

/// What became of a message at the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptState {
    /// The outer verification and the receiver's policy let it in.
    Accepted,
    /// They did not.
    Refused,
    /// The role key opened it and the inside is what was signed.
    Opened,
    /// It did not open, or the inside is not what was signed.
    RefusedAtOpening,
    /// An agency fetched the content.
    HandedToAgency,
    /// An officer acknowledged it.
    Acknowledged,
    /// An officer did the first thing for whom it is about.
    Acted,
    /// The authority that alone could open it has lost the key: its originator sends it again.
    KeyLost,
    /// Another has come in the place of one whose key was lost.
    Replaced,
    /// The content was erased at the receiver; what was said of it before stands.
    Erased,
    /// It expired before it was accepted; it will be refused for ever.
    NeverAccepted,
}

impl ReceiptState {
    /// The state as it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Opened => "opened",
            Self::RefusedAtOpening => "refused_at_opening",
            Self::HandedToAgency => "handed_to_agency",
            Self::Acknowledged => "acknowledged",
            Self::Acted => "acted",
            Self::KeyLost => "key_lost",
            Self::Replaced => "replaced",
            Self::Erased => "erased",
            Self::NeverAccepted => "never_accepted",
        }
    }
}

/// What is said about one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptEntry {
    /// Which message.
    pub message_id: MessageId,
    /// Which release of it.
    pub release_id: ReleaseId,
    /// What became of it.
    pub state: ReceiptState,
    /// Stable problem code, for refusals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// When, milliseconds since the epoch.
    pub at_ms: i64,
    /// Origin of the log that holds the leaf.
    pub log_origin: String,
    /// The leaf.
    pub leaf_hash: Digest,
    /// Makes two entries about the same message unlike.
    pub salt: String,
}

/// The claims of the signed root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptRoot {
    /// Who gives the receipt.
    pub iss: CountryCode,
    /// To whom.
    pub aud: CountryCode,
    /// When, seconds.
    pub iat: i64,
    /// Realm.
    pub realm: Realm,
    /// RFC 6962 root over the entries.
    pub root: Digest,
    /// Number of entries.
    pub size: u64,
}

/// The receipt of one message, verifiable alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The entry's exact text.
    pub entry: String,
    /// Its place in the batch.
    pub index: u64,
    /// Inclusion path.
    pub path: Vec<Digest>,
    /// Signed root, compact JWS.
    pub root: String,
}

/// The receipts of one batch: the signed root once, a proof for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchReceipt {
    /// One per entry, in the order given.
    pub receipts: Vec<Receipt>,
}

/// Signs one root over the entries and cuts it into receipts.
///
/// # Errors
/// When the key fails, or there are no entries or too many.
pub fn issue_batch(
    entries: &[ReceiptEntry],
    iss: &CountryCode,
    aud: &CountryCode,
    realm: Realm,
    iat: i64,
    signer: &dyn Sign,
) -> Result<BatchReceipt, CryptoFailure> {
    let form = |_| CryptoFailure::Form("receipt entry");
    let texts: Vec<String> =
        entries.iter().map(serde_json::to_string).collect::<Result<_, _>>().map_err(form)?;
    if texts.is_empty() || texts.len() > MAX_LEAVES {
        return Err(CryptoFailure::Form("number of receipt entries"));
    }
    let tree = MerkleTree::new(texts.iter().map(|text| leaf_hash(text.as_bytes())).collect());
    let claims = ReceiptRoot {
        iss: iss.clone(),
        aud: aud.clone(),
        iat,
        realm,
        root: tree.root(),
        size: u64::try_from(texts.len()).unwrap_or(u64::MAX),
    };
    let root = signer.sign(TYP_RECEIPT, &serde_json::to_vec(&claims).map_err(form)?)?;
    let receipts = texts
        .into_iter()
        .enumerate()
        .map(|(index, entry)| Receipt {
            entry,
            index: u64::try_from(index).unwrap_or(u64::MAX),
            path: tree.path(index),
            root: root.clone(),
        })
        .collect();
    Ok(BatchReceipt { receipts })
}

/// Reads the entry of a receipt without judging it.
#[must_use]
pub fn read_entry(receipt: &Receipt) -> Option<ReceiptEntry> {
    serde_json::from_str(&receipt.entry).ok()
}

/// When a receipt says that it was signed, seconds; only good for finding the key that stood then.
#[must_use]
pub fn claimed_time(receipt: &Receipt) -> Option<i64> {
    let payload = crate::envelope::from_base64url(receipt.root.split('.').nth(1)?)?;
    serde_json::from_slice::<ReceiptRoot>(&payload).ok().map(|claims| claims.iat)
}

/// Verifies a receipt alone: signature of the root under the giver's key, parties and realm, inclusion.
///
/// # Errors
/// `envelope.signature` or `envelope.malformed`; then the receipt proves nothing.
pub fn verify_receipt(
    receipt: &Receipt,
    from: &CountryCode,
    to: &CountryCode,
    realm: Realm,
    key: &dyn Verify,
) -> Result<ReceiptEntry, Problem> {
    let malformed = || Problem::new(&problem::ENVELOPE_MALFORMED).at("receipt");
    let payload = key
        .verify(TYP_RECEIPT, &receipt.root)
        .map_err(|_| Problem::new(&problem::ENVELOPE_SIGNATURE).at("receipt"))?;
    let claims: ReceiptRoot = serde_json::from_slice(&payload).map_err(|_| malformed())?;
    if claims.iss != *from || claims.aud != *to {
        return Err(Problem::new(&problem::COUNTRY_MISMATCH).at("receipt"));
    }
    if claims.realm != realm {
        return Err(Problem::new(&problem::REALM_MISMATCH).at("receipt"));
    }
    let leaf = leaf_hash(receipt.entry.as_bytes());
    if root_from_path(leaf, receipt.index, claims.size, &receipt.path) != Some(claims.root) {
        return Err(Problem::new(&problem::ENVELOPE_SIGNATURE).at("receipt"));
    }
    read_entry(receipt).ok_or_else(malformed)
}
