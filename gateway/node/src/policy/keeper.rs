//! The policies in force: one set, whose digest two officers activated, in the folder and in memory.
//!
//! Not here: proposing and deciding (`change`). INVARIANT: a folder that was not activated is never taken
//! into force, at start or later; a switch that was cut short is finished at the next start.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use puente_core::delivery::{ApprovalState, CommitId, LeafRow, PolicyChangeRow, Write};
use puente_core::envelope::Randomness;
use puente_core::evidence::LeafRecord;
use puente_core::ids::{ApprovalId, Digest};
use puente_core::membership::Membership;
use puente_core::problem;

use super::set::{PolicySet, SetError};
use super::trust::Trust;
use crate::home::{Home, write_file};
use crate::node::{Node, Rules};
use crate::setup::{SetupError, built_in_policies, load};
use crate::store::{Store, StoreError};

/// Why the policies of a home are not taken into force.
#[derive(Debug, thiserror::Error)]
pub enum InForceError {
    /// The folder is another set than the one that was activated.
    #[error(
        "`{}` holds set {found}, which two officers did not activate [{}]: put set {active} back, and propose \
         the other with `puente policy propose`",
        folder.display(),
        problem::POLICY_NOT_ACTIVATED.code
    )]
    NotActivated {
        /// Which folder.
        folder: PathBuf,
        /// What lies there.
        found: Digest,
        /// What is in force.
        active: Digest,
    },
    /// The folder cannot be read or written.
    #[error(transparent)]
    Set(#[from] SetError),
    /// A set does not load.
    #[error(transparent)]
    Load(#[from] SetupError),
    /// The history cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The history names a set that is not what it names.
    #[error("the history of policies is damaged: restore the store")]
    Damaged,
}

/// Which set is in force, and where its files lie.
pub struct PolicyKeeper {
    home: Home,
    // Held while folder and memory are changed, so that a reload cannot put back what was just replaced.
    in_force: Mutex<Digest>,
}

/// The activation of the first start: nobody's act, and recorded as such.
struct Founding {
    id: ApprovalId,
    at_ms: i64,
}

impl PolicyKeeper {
    /// The keeper of a home, with the set that is in force there; the first start records the built-in set.
    ///
    /// # Errors
    /// `NotActivated` when the folder is another set; otherwise what cannot be read.
    pub async fn establish(
        home: &Home,
        store: &dyn Store,
        (id, at_ms): (ApprovalId, i64),
        random: &dyn Randomness,
    ) -> Result<(Self, PolicySet), InForceError> {
        let set = match store.policy_in_force().await? {
            None => found(home, store, &Founding { id, at_ms }, random).await?,
            Some(row) => stand(home, &row)?,
        };
        let keeper = Self { home: home.clone(), in_force: Mutex::new(set.digest()) };
        Ok((keeper, set))
    }

    /// The digest of the set in force.
    #[must_use]
    pub fn in_force(&self) -> Digest {
        *self.in_force.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rules of a set beside the catalogue of the home, with the adoptions that count and the agreements that bind.
    ///
    /// # Errors
    /// As `setup::load::rules_of`.
    pub fn rules_of(&self, set: &PolicySet, trust: &Trust<'_>) -> Result<Rules, SetupError> {
        let adopted = load::adopted(set, trust.membership, trust.clock);
        let rules = load::rules_of(&self.home, set, &adopted)?;
        Ok(Rules { agreements: trust.admit(&rules.agreements), ..rules })
    }

    /// Reads catalogue and policies of the home again.
    ///
    /// # Errors
    /// `NotActivated`, or why they do not load; then what was in force stays.
    pub fn reload(&self, node: &Node, membership: &Membership) -> Result<(), InForceError> {
        let in_force = self.in_force.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.home.policies();
        let set = PolicySet::read(&folder)?;
        if set.digest() != *in_force {
            return Err(InForceError::NotActivated { folder, found: set.digest(), active: *in_force });
        }
        let trust = Trust { membership, realm: node.realm(), clock: node.clock.as_ref() };
        node.rules.replace(self.rules_of(&set, &trust)?);
        Ok(())
    }

    /// Puts an activated set in force: for the next decision at once, then in the folder.
    ///
    /// # Errors
    /// When the folder cannot be written; the set is in force all the same, and the next start writes it.
    pub(super) fn switch(&self, node: &Node, set: &PolicySet, rules: Rules) -> Result<(), InForceError> {
        let mut in_force = self.in_force.lock().unwrap_or_else(PoisonError::into_inner);
        node.rules.replace(rules);
        *in_force = set.digest();
        Ok(write_out(&self.home, set)?)
    }
}

async fn found(
    home: &Home,
    store: &dyn Store,
    founding: &Founding,
    random: &dyn Randomness,
) -> Result<PolicySet, InForceError> {
    let set = PolicySet::read(&home.policies())?;
    let built_in = PolicySet::of_bytes(built_in_policies())?.digest();
    if set.digest() != built_in {
        return Err(InForceError::NotActivated {
            folder: home.policies(),
            found: set.digest(),
            active: built_in,
        });
    }
    let (engine, _) = set.load(&[]).map_err(SetupError::from)?;
    let digest = set.digest();
    let row = PolicyChangeRow {
        change: founding.id,
        set: digest,
        policy: engine.digest(),
        base: digest,
        preview: digest,
        proposer: None,
        proposal: String::new(),
        summary: b"{\"founding\":true}".to_vec(),
        files: serde_json::to_vec(set.files()).map_err(|_| InForceError::Damaged)?,
        opened_ms: founding.at_ms,
        lapses_ms: founding.at_ms,
        state: ApprovalState::Granted,
        closed_ms: Some(founding.at_ms),
    };
    let leaf = activation_leaf(founding.id, digest, founding.at_ms, random).ok_or(InForceError::Damaged)?;
    let _durable = store.commit(CommitId(0), vec![Write::PolicyChange(row), leaf]).await?;
    Ok(set)
}

/// The evidence of an activation.
pub(super) fn activation_leaf(
    change: ApprovalId,
    set: Digest,
    at_ms: i64,
    random: &dyn Randomness,
) -> Option<Write> {
    let record = LeafRecord { kind: "policy", id: change.to_string(), digest: set, at_ms };
    LeafRow::of(&record, None, random).ok().map(Write::Leaf)
}

/// The set of an activation, and the folder as that set.
fn stand(home: &Home, row: &PolicyChangeRow) -> Result<PolicySet, InForceError> {
    let set = set_of(row).ok_or(InForceError::Damaged)?;
    let folder = home.policies();
    let found = if folder.exists() { Some(PolicySet::read(&folder)?.digest()) } else { None };
    match found {
        Some(found) if found == row.set => {}
        // The node ended between the activation and the writing of its files.
        None => write_out(home, &set)?,
        Some(found) if found == row.base => write_out(home, &set)?,
        Some(found) => return Err(InForceError::NotActivated { folder, found, active: row.set }),
    }
    Ok(set)
}

/// The set that a row of the history holds; `None` when it is not what it names.
pub(super) fn set_of(row: &PolicyChangeRow) -> Option<PolicySet> {
    let set = PolicySet::of(serde_json::from_slice(&row.files).ok()?).ok()?;
    (set.digest() == row.set).then_some(set)
}

/// Writes a set beside the folder in force, then puts it in its place.
fn write_out(home: &Home, set: &PolicySet) -> Result<(), SetError> {
    let folder = home.policies();
    let (next, previous) = (home.path().join("policies.next"), home.path().join("policies.previous"));
    for leftover in [&next, &previous] {
        if leftover.exists() {
            std::fs::remove_dir_all(leftover)?;
        }
    }
    for (path, text) in set.files() {
        write_file(&next.join(path), text.as_bytes())?;
    }
    if folder.exists() {
        std::fs::rename(&folder, &previous)?;
    }
    std::fs::rename(&next, &folder)?;
    std::fs::File::open(home.path())?.sync_all()?;
    if previous.exists() {
        std::fs::remove_dir_all(&previous)?;
    }
    Ok(())
}
