//! The approved texts and recordings: which bytes may be shown in which language.
//!
//! Not here: the bytes themselves, which only have to hash to what is listed. INVARIANT: a language without an
//! approved text is never served by one of another language, unless an interpreter is on record.

use serde::Deserialize;

use super::record::{Record, is_tag};
use crate::ids::Digest;

/// The list's file under `policies/`.
const FILE: &str = "consent/texts.json";
/// The folder of the texts beside it.
const FOLDER: &str = "consent/";
/// Most texts; some eighty languages, in a few versions each.
const MAX_TEXTS: usize = 1000;

/// Why the list of approved texts is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextsError {
    /// The list is not of its form.
    #[error("`{FILE}`: {0}")]
    Form(String),
    /// A text of the list is there with other bytes.
    #[error("`{0}` is not the text that was approved")]
    Changed(String),
}

/// What kind of thing was approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Text,
    Audio,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovedText {
    language: String,
    #[serde(rename = "kind")]
    _kind: Kind,
    digest: Digest,
    /// File under `consent/`, where the bytes lie here too.
    #[serde(default)]
    file: Option<String>,
    /// Who translated it, and when that was approved; the original has none.
    #[serde(default, rename = "translated_by")]
    _translated_by: Option<String>,
    #[serde(rename = "approved_by")]
    _approved_by: String,
    #[serde(rename = "approved_on")]
    _approved_on: jiff::civil::Date,
}

/// Every text and recording that may be shown.
#[derive(Debug, Clone, Default)]
pub struct ApprovedTexts(Vec<ApprovedText>);

impl ApprovedTexts {
    /// Reads the list from (path under `policies/`, bytes); without one nothing is approved.
    ///
    /// # Errors
    /// When the list is malformed, or a text that it names has other bytes than were approved.
    pub fn load<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a [u8])> + Clone,
    ) -> Result<Self, TextsError> {
        let find =
            |path: &str| files.clone().into_iter().find(|(name, _)| *name == path).map(|(_, bytes)| bytes);
        let Some(list) = find(FILE) else { return Ok(Self::default()) };
        let texts: Vec<ApprovedText> =
            serde_json::from_slice(list).map_err(|error| TextsError::Form(error.to_string()))?;
        if texts.len() > MAX_TEXTS {
            return Err(TextsError::Form(format!("more than {MAX_TEXTS} texts")));
        }
        for text in &texts {
            if !is_tag(&text.language) {
                return Err(TextsError::Form(format!("`{}` is no language tag", text.language)));
            }
            let Some(file) = &text.file else { continue };
            let bytes = find(&format!("{FOLDER}{file}"))
                .ok_or_else(|| TextsError::Form(format!("there is no `{file}`")))?;
            if Digest::of(bytes) != text.digest {
                return Err(TextsError::Changed(file.clone()));
            }
        }
        Ok(Self(texts))
    }

    /// Whether exactly these bytes are approved for that language or one that it refines (RFC 4647 section 3.4).
    #[must_use]
    pub fn approves(&self, language: &str, digest: Digest) -> bool {
        self.0.iter().any(|text| text.digest == digest && refines(language, &text.language))
    }

    /// Whether what the record shows was approved, and in the person's language or interpreted into it.
    pub(super) fn were_shown(&self, record: &Record) -> bool {
        let interpreted = record
            .interpreter
            .as_ref()
            .is_some_and(|interpreter| refines(&record.language, &interpreter.language));
        self.approves(&record.shown.language, record.shown.digest)
            && (refines(&record.language, &record.shown.language) || interpreted)
    }
}

/// Whether `language` is `wider` or one of its refinements: `es-GT` of `es`, never `es` of `es-GT`.
fn refines(language: &str, wider: &str) -> bool {
    let starts = language.get(..wider.len()).is_some_and(|start| start.eq_ignore_ascii_case(wider));
    starts && language.get(wider.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
