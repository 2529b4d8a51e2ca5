//! Policies made of their files.
//!
//! Not here: asking them. INVARIANT: every file is checked against the others, or the set is refused whole.

use std::collections::BTreeMap;

use cedar_policy::{Authorizer, Schema};

use super::{FAILED, NOT_ENTITLED, NOTHING_LEFT, PolicyEngine};
use crate::ids::Digest;
use crate::membership::Adopted;
use crate::policy::approver::Approvers;
use crate::policy::cache::DecisionCache;
use crate::policy::determiner::Determiners;
use crate::policy::files::{PolicyError, decides, is_rule_file, json, json_or_none, text};
use crate::policy::profile::Profiles;
use crate::policy::rule::{RuleId, Rules};
use crate::policy::rulebook::{Obligations, Rulebook};
use crate::policy::vocabulary::Vocabulary;

impl PolicyEngine {
    /// Reads policies from (path under `policies/`, bytes); `national/` overlays may only forbid.
    ///
    /// # Errors
    /// When a file is missing, malformed, fails strict validation, or disagrees with another.
    pub fn load(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, PolicyError> {
        Self::load_adopted(files, &[])
    }

    /// Reads policies as [`Self::load`] does, with what the members adopted of the proposed profiles.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_adopted(
        files: impl IntoIterator<Item = (String, Vec<u8>)>,
        adopted: &[Adopted],
    ) -> Result<Self, PolicyError> {
        let files: BTreeMap<_, _> = files.into_iter().filter(|(path, _)| decides(path)).collect();
        let source = text(&files, "schema.cedarschema")?.ok_or(PolicyError::Missing("schema.cedarschema"))?;
        let schema = Schema::from_cedarschema_str(source)
            .map_err(|error| PolicyError::File {
                file: "schema.cedarschema".into(),
                line: 1,
                why: error.to_string(),
            })?
            .0;
        let mut rules: Rules = json(&files, "rules.json")?;
        if files.contains_key("national/rules.json") {
            let national: Rules = json(&files, "national/rules.json")?;
            for (id, rule) in national {
                if rules.contains_key(&id) {
                    return Err(PolicyError::Disagree(format!("national rule `{id}` is a rule of all")));
                }
                rules.insert(id, rule);
            }
        }
        let mut profiles: Profiles = json(&files, "profiles.json")?;
        profiles.iter_mut().for_each(|(message, profile)| profile.adopt(message, adopted));
        let obligations: Obligations = json(&files, "obligations.json")?;
        let approvers: Approvers = json_or_none(&files, "approvals.json")?;
        let determiners: Determiners = json_or_none(&files, "determinations.json")?;
        let mut book = Rulebook::default();
        for path in files.keys().filter(|path| is_rule_file(path)) {
            let source = text(&files, path)?.unwrap_or_default();
            let known = |code: &str| obligations.contains_key(code);
            let rejected = book.read(source, path.starts_with("national/"), &rules, known, &schema);
            if let Some(rejected) = rejected.into_iter().next() {
                return Err(PolicyError::File { file: path.clone(), line: rejected.line, why: rejected.why });
            }
        }
        if let Some(action) = book.silent_actions().first() {
            return Err(PolicyError::Disagree(format!("no policy permits `{action}`")));
        }
        let (words, entities) = Vocabulary::build(&profiles, &schema)
            .map_err(|why| PolicyError::Disagree(format!("profiles and schema: {why}")))?;
        let named = |id: &str| {
            let id: RuleId = id.parse().map_err(|_| PolicyError::Missing("a rule of the engine"))?;
            if rules.contains_key(&id) { Ok(id) } else { Err(PolicyError::Missing("a rule of the engine")) }
        };
        Ok(Self {
            failed: named(FAILED)?,
            nothing_left: named(NOTHING_LEFT)?,
            not_entitled: named(NOT_ENTITLED)?,
            digest: digest(&files, &profiles)?,
            rules,
            profiles,
            approvers,
            determiners,
            book,
            words,
            entities,
            authorizer: Authorizer::new(),
            sent: DecisionCache::new(),
            received: DecisionCache::new(),
        })
    }
}

/// Over the files, and over the profiles as they stand: two nodes that count other adoptions decide otherwise.
fn digest(files: &BTreeMap<String, Vec<u8>>, profiles: &Profiles) -> Result<Digest, PolicyError> {
    let standing =
        serde_json::to_vec(profiles).map_err(|error| PolicyError::Disagree(format!("profiles: {error}")))?;
    let files = files.iter().map(|(path, content)| (path.as_str(), content.as_slice()));
    let mut bytes = Vec::new();
    for (path, content) in files.chain([("profiles", standing.as_slice())]) {
        for part in [path.as_bytes(), content] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
    }
    Ok(Digest::of(&bytes))
}
