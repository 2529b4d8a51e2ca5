//! What can be proved later and offline: Merkle trees, receipts, leaves of the log.
//!
//! Not here: sequencing and checkpoints (the log's own issue); signing comes in by trait.

mod leaf;
mod merkle;
mod receipt;

pub use leaf::{Leaf, LeafRecord};
pub use merkle::{MerkleTree, leaf_hash, root_from_path};
pub use receipt::{
    BatchReceipt, Receipt, ReceiptEntry, ReceiptRoot, ReceiptState, TYP_RECEIPT, claimed_time, issue_batch,
    read_entry, verify_receipt,
};
