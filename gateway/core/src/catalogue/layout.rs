//! Which file is where: the paths of the layout, before any content is understood.
//!
//! Not here: what the files say (`load`). Invariant: every path has exactly one place, and a path that has
//! none is refused, so a misspelt folder cannot be a type that silently does not exist.

use std::collections::BTreeMap;

use serde_json::Value;

use super::labels::LabelSet;
use super::load::CatalogueError;
use crate::ids::{Category, MessageType};

/// Every file of the catalogue by path, parsed.
pub(super) type Files = BTreeMap<String, Value>;

/// What the paths of the layout say, before the contents are understood.
#[derive(Default)]
pub(super) struct Layout {
    pub(super) messages: BTreeMap<(MessageType, u32), Folder>,
    pub(super) sections: BTreeMap<(Category, u32), String>,
    pub(super) codes: BTreeMap<String, String>,
    pub(super) labels: BTreeMap<LabelSet, String>,
}

/// The files of one version of one type.
#[derive(Default)]
pub(super) struct Folder {
    pub(super) descriptor: Option<String>,
    pub(super) sections: BTreeMap<Category, String>,
    pub(super) examples: Vec<String>,
}

/// Puts every file in its place.
pub(super) fn arrange(files: &Files) -> Result<Layout, CatalogueError> {
    let mut layout = Layout::default();
    for path in files.keys() {
        place(&mut layout, path).ok_or_else(|| CatalogueError::Layout { file: path.clone() })?;
    }
    Ok(layout)
}

/// Puts one path where it belongs; `None` for a path that belongs nowhere.
fn place(layout: &mut Layout, path: &str) -> Option<()> {
    let stem = path.strip_suffix(".json")?;
    let segments: Vec<&str> = stem.split('/').collect();
    match segments.as_slice() {
        ["sections", category, version] => {
            layout.sections.insert((category.parse().ok()?, number(version)?), path.to_owned());
        }
        ["codes", list] => {
            layout.codes.insert((*list).to_owned(), path.to_owned());
        }
        ["labels", set] => {
            layout.labels.insert(set.parse().ok()?, path.to_owned());
        }
        ["messages", message_type, version, rest @ ..] => {
            let folder = layout.messages.entry((message_type.parse().ok()?, number(version)?)).or_default();
            match rest {
                ["descriptor"] => folder.descriptor = Some(path.to_owned()),
                ["sections", category] => {
                    folder.sections.insert(category.parse().ok()?, path.to_owned());
                }
                ["examples", name] if name.starts_with("valid-") || name.starts_with("invalid-") => {
                    folder.examples.push(path.to_owned());
                }
                _ => return None,
            }
        }
        _ => return None,
    }
    Some(())
}

/// A version in a path: 1 or more, written without a leading zero.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|version: &u32| *version > 0 && version.to_string() == text)
}
