//! The attachments that sections name, as the gateways see them: a root and a number of chunks.
//!
//! Not here: the chunks (`store`) and their key, which stays in the sealed section.

use std::collections::BTreeSet;

use puente_core::envelope::AttachmentRef;
use puente_core::ids::Category;

use crate::domestic::submit::form::Submission;

/// Attachments that the sections that leave name: `{"attachment": {"root", "size", "chunk_size", ...}}`.
pub(super) fn attachments_in(submission: &Submission, deliver: &BTreeSet<Category>) -> Vec<AttachmentRef> {
    let released = submission.sections.iter().filter(|(category, _)| deliver.contains(*category));
    released.filter_map(|(_, value)| attachment_ref(value.reveal())).collect()
}

/// The attachment that a section names, as the gateways see it.
pub fn attachment_ref(section: &serde_json::Value) -> Option<AttachmentRef> {
    let named = section.get("attachment")?;
    let root = named.get("root")?.as_str()?.parse().ok()?;
    let (size, chunk) = (named.get("size")?.as_u64()?, named.get("chunk_size")?.as_u64()?);
    let chunks = u32::try_from(size.max(1).div_ceil(chunk.max(1))).ok()?;
    Some(AttachmentRef { root, chunks })
}
