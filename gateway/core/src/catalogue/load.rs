//! From files to a catalogue: the order of compilation and every check of consistency.
//!
//! Not here: where the files come from; a directory and an embedded tree look the same. Invariant: either
//! every file was understood and agrees with the others, or there is no catalogue.

use std::collections::BTreeMap;
use std::sync::Arc;

use jsonschema::Registry;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::coded::coded_fields;
use super::codes::CodeList;
use super::descriptor::Descriptor;
use super::labels::{Label, LabelSet};
use super::layout::{Files, Folder, Layout, arrange};
use super::schema::{CodeLists, Section};
use super::{Catalogue, Message, bounds, examples};
use crate::ids::{Category, Digest, MessageType};
use crate::json::{self, StrictError};

/// Files in one catalogue: about eight for each of 60 types, with room for a tenfold.
const MAX_FILES: usize = 8192;

/// Bytes in one file: the longest, the list of countries, has 20 KiB.
const MAX_FILE_BYTES: usize = 256 * 1024;

/// Bytes of all files together: what a node holds in memory while it loads.
const MAX_TOTAL_BYTES: usize = 32 * 1024 * 1024;

/// Longest retention a descriptor may ask for: ten years.
const MAX_RETENTION_DAYS: u32 = 3653;

/// Longest life of an undelivered message: its id is remembered for that long and 30 days.
const MAX_EXPIRES_HOURS: u32 = 90 * 24;

/// Why files are not a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// More files or bytes than a catalogue may have.
    #[error("the catalogue exceeds its bounds at `{file}`")]
    Bounds {
        /// The file at which it did.
        file: String,
    },
    /// The path is not one of the layout, or stands twice.
    #[error("`{file}` is not a place of the catalogue")]
    Layout {
        /// The path.
        file: String,
    },
    /// The file is not strict JSON.
    #[error("`{file}`: {why}")]
    Json {
        /// The path.
        file: String,
        /// Where it stops being JSON.
        why: StrictError,
    },
    /// The file is not of its form, or disagrees with another one.
    #[error("`{file}`: {why}")]
    Wrong {
        /// The path.
        file: String,
        /// What is wrong.
        why: String,
    },
}

/// Names the file that is wrong.
fn wrong(file: &str, why: impl Into<String>) -> CatalogueError {
    CatalogueError::Wrong { file: file.to_owned(), why: why.into() }
}

pub(super) fn load(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Catalogue, CatalogueError> {
    let (files, digest) = read(files)?;
    let layout = arrange(&files)?;
    let codes = Arc::new(code_lists(&files, &layout)?);
    let labels = label_sets(&files, &layout)?;
    let shared = shared_sections(&files, &layout, &codes)?;

    let mut messages: BTreeMap<MessageType, BTreeMap<u32, Message>> = BTreeMap::new();
    for ((message_type, version), folder) in &layout.messages {
        let message = message(&files, message_type, *version, folder, &shared, &labels)?;
        messages.entry(message_type.clone()).or_default().insert(*version, message);
    }
    let coded = coded_fields(&files, &layout);
    if let Some((field, list)) = coded.iter().find(|(_, list)| !codes.contains_key(*list)) {
        return Err(wrong("sections", format!("field `{field}` takes codes of `{list}`, which is no list")));
    }
    let catalogue = Catalogue { messages, codes: CodeLists::clone(&codes), labels, coded, digest };
    replies_agree(&catalogue)?;
    for ((message_type, version), folder) in &layout.messages {
        for path in &folder.examples {
            let descriptor = catalogue.descriptor(message_type, Some(*version));
            if let (Some(descriptor), Some(example)) = (descriptor, files.get(path)) {
                examples::check(&catalogue, descriptor, path, example).map_err(|why| wrong(path, why))?;
            }
        }
    }
    Ok(catalogue)
}

/// Parses every file but the Markdown, within bounds, and digests what was read in order of path.
fn read(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<(Files, Digest), CatalogueError> {
    let mut bytes = BTreeMap::new();
    let mut total = 0_usize;
    for (path, content) in files {
        if path.ends_with(".md") {
            continue;
        }
        total = total.saturating_add(content.len());
        if bytes.len() >= MAX_FILES || content.len() > MAX_FILE_BYTES || total > MAX_TOTAL_BYTES {
            return Err(CatalogueError::Bounds { file: path });
        }
        if bytes.insert(path.clone(), content).is_some() {
            return Err(CatalogueError::Layout { file: path });
        }
    }
    let mut hashed = Vec::with_capacity(total);
    let mut parsed = Files::new();
    for (path, content) in bytes {
        // Lengths stand before path and bytes, so that no two trees share one text.
        for part in [path.as_bytes(), content.as_slice()] {
            hashed.extend_from_slice(&(part.len() as u64).to_be_bytes());
            hashed.extend_from_slice(part);
        }
        let value = json::parse(&content, json::MAX_DEPTH)
            .map_err(|why| CatalogueError::Json { file: path.clone(), why })?;
        parsed.insert(path, value);
    }
    Ok((parsed, Digest::of(&hashed)))
}

fn form<T: DeserializeOwned>(files: &Files, path: &str) -> Result<T, CatalogueError> {
    let value = files.get(path).ok_or_else(|| CatalogueError::Layout { file: path.to_owned() })?;
    T::deserialize(value).map_err(|error| wrong(path, error.to_string()))
}

fn code_lists(files: &Files, layout: &Layout) -> Result<CodeLists, CatalogueError> {
    let mut lists = CodeLists::new();
    for (name, path) in &layout.codes {
        let list: CodeList = form(files, path)?;
        if list.id() != name || !list.title().is_whole() {
            return Err(wrong(path, "its id is not its file name, or its title is not whole"));
        }
        lists.insert(name.clone(), Arc::new(list));
    }
    Ok(lists)
}

type Labels = BTreeMap<LabelSet, BTreeMap<String, Label>>;

fn label_sets(files: &Files, layout: &Layout) -> Result<Labels, CatalogueError> {
    let mut sets = Labels::new();
    for (set, path) in &layout.labels {
        let labels: BTreeMap<String, Label> = form(files, path)?;
        if let Some((name, _)) = labels.iter().find(|(_, label)| !label.is_whole()) {
            return Err(wrong(path, format!("label `{name}` is empty in one language")));
        }
        sets.insert(*set, labels);
    }
    Ok(sets)
}

/// The sections that every type may use, compiled, and what narrower ones resolve against.
struct Shared<'a> {
    compiled: BTreeMap<(Category, u32), Arc<Section>>,
    registry: Registry<'a>,
    codes: &'a Arc<CodeLists>,
}

fn shared_sections<'a>(
    files: &'a Files,
    layout: &Layout,
    codes: &'a Arc<CodeLists>,
) -> Result<Shared<'a>, CatalogueError> {
    let mut builder = Registry::new().retriever(Nowhere);
    for ((category, version), path) in &layout.sections {
        let urn = format!("urn:puente:section:{category}:{version}");
        let schema = schema(files, path, &urn)?;
        builder = builder.add(&urn, schema).map_err(|error| wrong(path, error.to_string()))?;
    }
    let registry = builder.prepare().map_err(|error| wrong("sections", error.to_string()))?;
    let mut compiled = BTreeMap::new();
    for (key, path) in &layout.sections {
        let section = files.get(path).ok_or_else(|| wrong(path, "is missing"))?;
        let section = Section::compile(section, &registry, codes).map_err(|why| wrong(path, why))?;
        compiled.insert(key.clone(), Arc::new(section));
    }
    Ok(Shared { compiled, registry, codes })
}

/// A retriever that has nothing: what is not among our own sections does not exist.
struct Nowhere;

impl jsonschema::Retrieve for Nowhere {
    fn retrieve(
        &self,
        _: &jsonschema::Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err("only sections of the catalogue may be referred to".into())
    }
}

/// The schema in a file, once its identity, dialect and bounds are right.
fn schema<'a>(files: &'a Files, path: &str, urn: &str) -> Result<&'a Value, CatalogueError> {
    let schema = files.get(path).ok_or_else(|| wrong(path, "is missing"))?;
    let text = |member: &str| schema.get(member).and_then(Value::as_str);
    if text("$id") != Some(urn) {
        return Err(wrong(path, format!("its `$id` is not `{urn}`")));
    }
    if text("$schema") != Some("https://json-schema.org/draft/2020-12/schema") {
        return Err(wrong(path, "its dialect is not JSON Schema 2020-12"));
    }
    bounds::breach(schema).map_or(Ok(schema), |why| Err(wrong(path, why)))
}

fn message(
    files: &Files,
    message_type: &MessageType,
    version: u32,
    folder: &Folder,
    shared: &Shared<'_>,
    labels: &Labels,
) -> Result<Message, CatalogueError> {
    let place = format!("messages/{message_type}/{version}");
    let path = folder.descriptor.as_deref().ok_or_else(|| wrong(&place, "has no descriptor"))?;
    let descriptor: Descriptor = form(files, path)?;
    if descriptor.message_type != *message_type || descriptor.version != version {
        return Err(wrong(path, "its type and version are not those of its folder"));
    }
    descriptor_holds(&descriptor, labels).map_err(|why| wrong(path, why))?;
    if let Some((_, stray)) =
        folder.sections.iter().find(|(name, _)| !descriptor.categories.contains_key(*name))
    {
        return Err(wrong(stray, "narrows a category that the descriptor does not name"));
    }
    let mut sections = BTreeMap::new();
    for (category, usage) in &descriptor.categories {
        let section = match folder.sections.get(category) {
            Some(path) => {
                let urn = format!("urn:puente:message:{message_type}:{version}:{category}");
                let schema = schema(files, path, &urn)?;
                let section = Section::compile(schema, &shared.registry, shared.codes);
                Arc::new(section.map_err(|why| wrong(path, why))?)
            }
            None => shared.compiled.get(&(category.clone(), usage.section)).cloned().ok_or_else(|| {
                wrong(path, format!("category `{category}` has no section {}", usage.section))
            })?,
        };
        sections.insert(category.clone(), section);
    }
    Ok(Message { descriptor, sections })
}

/// What must hold inside one descriptor and between it and the labels.
fn descriptor_holds(descriptor: &Descriptor, labels: &Labels) -> Result<(), String> {
    let named = |set: LabelSet, name: &str| labels.get(&set).is_some_and(|labels| labels.contains_key(name));
    let roles = descriptor.senders.union(&descriptor.recipients);
    if let Some(role) = roles.into_iter().find(|role| !named(LabelSet::Roles, role.as_str())) {
        return Err(format!("role `{role}` has no label"));
    }
    if let Some(purpose) = descriptor.purposes.iter().find(|name| !named(LabelSet::Purposes, name.as_str())) {
        return Err(format!("purpose `{purpose}` has no label"));
    }
    if let Some(category) = descriptor.categories.keys().find(|c| !named(LabelSet::Categories, c.as_str())) {
        return Err(format!("category `{category}` has no label"));
    }
    if let Some(category) = descriptor.attachments.iter().find(|c| !descriptor.categories.contains_key(*c)) {
        return Err(format!("attachments name category `{category}`, which the type does not carry"));
    }
    let empty = descriptor.senders.is_empty()
        || descriptor.recipients.is_empty()
        || descriptor.categories.is_empty()
        || descriptor.purposes.is_empty()
        || descriptor.bases.is_empty();
    if empty {
        return Err("senders, recipients, categories, purposes and bases each name at least one".to_owned());
    }
    if !descriptor.title.is_whole() || !descriptor.summary.is_whole() {
        return Err("title and summary speak both languages".to_owned());
    }
    if !(1..=MAX_RETENTION_DAYS).contains(&descriptor.retention_days) {
        return Err(format!("retention_days is not between 1 and {MAX_RETENTION_DAYS}"));
    }
    if !(1..=MAX_EXPIRES_HOURS).contains(&descriptor.expires_hours) {
        return Err(format!("expires_hours is not between 1 and {MAX_EXPIRES_HOURS}"));
    }
    Ok(())
}

/// A reply that a type names exists and says so itself, and the other way round.
fn replies_agree(catalogue: &Catalogue) -> Result<(), CatalogueError> {
    for message in catalogue.messages.values().flat_map(BTreeMap::values) {
        let Descriptor { message_type, version, replies, in_reply_to, .. } = &message.descriptor;
        let newest = |name: &MessageType| catalogue.descriptor(name, None);
        let path = format!("messages/{message_type}/{version}/descriptor.json");
        if let Some(reply) = replies
            .iter()
            .find(|reply| !newest(reply).is_some_and(|reply| reply.in_reply_to.contains(message_type)))
        {
            return Err(wrong(&path, format!("reply `{reply}` does not say it answers this type")));
        }
        if let Some(asked) = in_reply_to
            .iter()
            .find(|asked| !newest(asked).is_some_and(|asked| asked.replies.contains(message_type)))
        {
            return Err(wrong(&path, format!("`{asked}` does not name this type as its reply")));
        }
    }
    Ok(())
}
