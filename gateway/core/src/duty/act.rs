//! What officers sign about an alert: that they take it, that they were told by telephone, that they acted.
//!
//! Not here: verifying the signature (`protection::verify_act`). INVARIANT: each names the alert it is about, so that
//! a signature on one stops no other's clock.

use serde::{Deserialize, Serialize};

use crate::ids::MessageId;
use crate::personal::Personal;

/// `typ` of the statement by which an officer of the authority that was asked takes an alert.
pub const TYP_TAKEN: &str = "puente-alert-taken+jwt";
/// `typ` of the statement of the side that waited, on what it was told by telephone.
pub const TYP_TELEPHONE: &str = "puente-alert-telephone+jwt";
/// `typ` of the statement that something was done.
pub const TYP_ACTED: &str = "puente-alert-acted+jwt";

/// An officer of the named authority takes an alert, or says who does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// Which alert.
    pub alert: MessageId,
    /// Where the owner is reached at any hour, E.164; as in the answer that carries the statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Personal<String>>,
}

/// What was said on the telephone, by whom, at which number; the hour is the act's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telephoned {
    /// Which alert.
    pub alert: MessageId,
    /// Who answered there.
    pub officer: Personal<String>,
    /// At which number, E.164.
    pub number: Personal<String>,
}

/// The first thing done for the child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acted {
    /// For which alert.
    pub alert: MessageId,
    /// What was done, as a code of the deployment; no personal data.
    pub action: String,
}
