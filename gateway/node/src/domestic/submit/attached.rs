//! The attachments that sections name, as the gateways see them: a root and a number of chunks.
//!
//! Not here: the chunks (`crate::chunks`) and their key, which stays in the sealed section.

use std::collections::BTreeSet;

use puente_core::envelope::AttachmentRef;
use puente_core::ids::Category;
use puente_core::problem::{self, Problem};

use crate::chunks::{Standing, standing};
use crate::domestic::submit::form::Submission;
use crate::node::Node;
use crate::register::KnownAgency;
use crate::store::ChunkOwner;

/// Attachments that the sections that leave name: `{"attachment": {"root", "size", "chunk_size", ...}}`.
pub(super) fn attachments_in(submission: &Submission, deliver: &BTreeSet<Category>) -> Vec<AttachmentRef> {
    let released = submission.sections.iter().filter(|(category, _)| deliver.contains(*category));
    released.filter_map(|(_, value)| attachment_ref(value.reveal())).collect()
}

/// That every attachment that the submission names was put by its agency, whole.
///
/// # Errors
/// At the section that names it: `field.invalid` for one that is none or too large, `attachment.incomplete`,
/// `attachment.mismatch`; otherwise the store's problem.
pub(super) async fn expect_whole(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
) -> Result<(), Problem> {
    let owner = ChunkOwner::Agency(caller.agency.clone());
    for (category, section) in &submission.sections {
        let Some(stated) = section.reveal().get("attachment") else { continue };
        let place = format!("/sections/{category}/attachment");
        let size = stated.get("size").and_then(serde_json::Value::as_u64);
        let fits = size.is_some_and(|size| size <= node.config.limits.attachment_bytes);
        let named = attachment_ref(section.reveal()).filter(|_| fits);
        let named = named.ok_or_else(|| Problem::new(&problem::FIELD_INVALID).at(place.clone()))?;
        match standing(node, &owner, &[named]).await? {
            Standing::Whole => {}
            Standing::Incomplete => return Err(Problem::new(&problem::ATTACHMENT_INCOMPLETE).at(place)),
            Standing::Mismatch => return Err(Problem::new(&problem::ATTACHMENT_MISMATCH).at(place)),
        }
    }
    Ok(())
}

/// The attachment that a section names, as the gateways see it.
fn attachment_ref(section: &serde_json::Value) -> Option<AttachmentRef> {
    let named = section.get("attachment")?;
    let root = named.get("root")?.as_str()?.parse().ok()?;
    let (size, chunk) = (named.get("size")?.as_u64()?, named.get("chunk_size")?.as_u64()?);
    let chunks = u32::try_from(size.max(1).div_ceil(chunk.max(1))).ok()?;
    Some(AttachmentRef { root, chunks })
}
