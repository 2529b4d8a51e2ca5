//! The message catalogue: every message type as data, checked as a whole before any of it is used.
//!
//! Not here: who may send what to whom (`policy`) and the wire form (`envelope`). Invariant: a
//! `Catalogue` that exists is consistent: each category has a schema, each reply its request, each
//! code list its labels, each example the verdict it states. Data enters by `load` and nowhere else.

mod bounds;
mod coded;
pub mod codes;
mod descriptor;
mod examples;
mod finding;
pub mod identity;
mod labels;
mod layout;
mod load;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

pub use codes::CodeList;
pub use descriptor::{Ahead, Basis, CategoryUse, Deadlines, Descriptor, Lane, Status};
pub use finding::Invalid;
pub use labels::{Label, LabelSet};
pub use load::CatalogueError;

use crate::ids::{Category, Digest, MessageType};
use schema::Section;

/// All message types, versions, sections, code lists and labels of one node, immutable once loaded.
#[derive(Debug)]
pub struct Catalogue {
    messages: BTreeMap<MessageType, BTreeMap<u32, Message>>,
    codes: BTreeMap<String, Arc<CodeList>>,
    labels: BTreeMap<LabelSet, BTreeMap<String, Label>>,
    coded: BTreeMap<String, String>,
    digest: Digest,
}

/// One version of one type with the compiled schema of each category it may carry.
#[derive(Debug)]
struct Message {
    descriptor: Descriptor,
    sections: BTreeMap<Category, Arc<Section>>,
}

impl Catalogue {
    /// Reads a catalogue from its files: paths relative to `schemas/`, bytes as they stand.
    ///
    /// Markdown is skipped; any other file outside the layout of `schemas/README.md` is refused.
    ///
    /// # Errors
    /// [`CatalogueError`] names the first file that is wrong; nothing of a wrong catalogue is kept.
    pub fn load(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, CatalogueError> {
        load::load(files)
    }

    /// SHA-256 over the sorted paths and bytes of every file that was read; two nodes with the same
    /// digest read the same catalogue.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Every message type, in order of name.
    pub fn types(&self) -> impl Iterator<Item = &MessageType> {
        self.messages.keys()
    }

    /// The versions of a type, ascending; empty for a type that is not in the catalogue.
    pub fn versions(&self, message_type: &MessageType) -> impl Iterator<Item = u32> {
        self.messages.get(message_type).into_iter().flat_map(|versions| versions.keys().copied())
    }

    /// The descriptor of a type in this version, or in the newest one for `None`.
    #[must_use]
    pub fn descriptor(&self, message_type: &MessageType, version: Option<u32>) -> Option<&Descriptor> {
        self.message(message_type, version).map(|message| &message.descriptor)
    }

    /// The highest version that both this catalogue and the peer hold.
    #[must_use]
    pub fn negotiate(&self, message_type: &MessageType, theirs: &[u32]) -> Option<u32> {
        self.versions(message_type).filter(|version| theirs.contains(version)).max()
    }

    /// What is wrong with one section, at most 16 findings; empty when it is of its form.
    ///
    /// Pointers start with the category, as they stand in `sections`. A category outside the
    /// descriptor, a descriptor of another catalogue and a failure inside the engine are findings too.
    #[must_use]
    pub fn validate(&self, descriptor: &Descriptor, category: &Category, section: &Value) -> Vec<Invalid> {
        self.message(&descriptor.message_type, Some(descriptor.version))
            .and_then(|message| message.sections.get(category))
            .map_or_else(|| vec![Invalid::category(category)], |form| form.validate(category, section))
    }

    /// The categories that a sender must submit and did not; a receiver does not ask, since policy may
    /// have stripped them.
    #[must_use]
    pub fn required_missing(&self, descriptor: &Descriptor, present: &BTreeSet<Category>) -> Vec<Category> {
        descriptor
            .categories
            .iter()
            .filter(|(category, usage)| usage.required && !present.contains(*category))
            .map(|(category, _)| category.clone())
            .collect()
    }

    /// The code list of this name, such as `countries`.
    #[must_use]
    pub fn codes(&self, list: &str) -> Option<&CodeList> {
        self.codes.get(list).map(Arc::as_ref)
    }

    /// The label of a category, role, purpose or field; fields are named by path, such as `id.core/sex`.
    #[must_use]
    pub fn label(&self, set: LabelSet, name: &str) -> Option<&Label> {
        self.labels.get(&set)?.get(name)
    }

    /// Every label of a set, in order of name.
    pub fn labels(&self, set: LabelSet) -> impl Iterator<Item = (&str, &Label)> {
        self.labels.get(&set).into_iter().flatten().map(|(name, label)| (name.as_str(), label))
    }

    /// Every code list, in order of name.
    pub fn code_lists(&self) -> impl Iterator<Item = &CodeList> {
        self.codes.values().map(Arc::as_ref)
    }

    /// Every field that holds a code, by path as labels have it, with the name of its list.
    pub fn coded_fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.coded.iter().map(|(path, list)| (path.as_str(), list.as_str()))
    }

    fn message(&self, message_type: &MessageType, version: Option<u32>) -> Option<&Message> {
        let versions = self.messages.get(message_type)?;
        match version {
            Some(version) => versions.get(&version),
            None => versions.last_key_value().map(|(_, message)| message),
        }
    }
}
