//! Bodies of the federation face: a batch is lines, an answer is receipts and what could not be receipted.

use serde::{Deserialize, Serialize};

use puente_core::evidence::Receipt;

/// Media type of a batch: one wire message per line.
pub const BATCH_MEDIA: &str = "application/vnd.puente.batch";

/// The answer to a delivery: every line is in exactly one of the two lists.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivered {
    /// Receipts, each with the line it is for.
    pub receipts: Vec<LineReceipt>,
    /// Lines without a receipt: not authenticated, or to be sent again later.
    pub unreceipted: Vec<LineCode>,
}

/// A receipt for one line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineReceipt {
    /// Position in the batch.
    pub line: usize,
    /// `message.already_effective` when another release had taken effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The receipt.
    pub receipt: Receipt,
}

/// A code for one line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineCode {
    /// Position in the batch.
    pub line: usize,
    /// Stable problem code.
    pub code: String,
}

/// Receipts of later states, or answers to a status question.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptList {
    /// The receipts.
    pub receipts: Vec<Receipt>,
}

/// The answer to receipts.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptsTaken {
    /// Positions of those that do not verify now.
    pub unverified: Vec<usize>,
}

/// Which messages a status question is about.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusQuestion {
    /// Message and release ids.
    pub messages: Vec<Asked>,
}

/// One message of a status question.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Message.
    pub message: puente_core::ids::MessageId,
    /// Release that was sent.
    pub release: puente_core::ids::ReleaseId,
}
