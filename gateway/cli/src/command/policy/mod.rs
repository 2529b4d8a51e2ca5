//! `puente policy`: what the rules say, where they are wrong, and what other rules would change.
//!
//! Not here: deciding. A set is a folder like `policies/`, or the one built into this program.

mod change;
mod check;
mod diff;
mod explain;
mod sign;
mod simulate;
mod test;

use std::path::PathBuf;

use clap::Subcommand;
use puente_core::approval::Verdict;
use puente_node::policy::PolicySet;
use puente_node::setup::built_in_policies;

use crate::exit::Exit;
use crate::output::Output;

/// Las políticas / the policies.
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Decide casos resueltos y compara / decide worked cases and compare.
    Test(test::Test),
    /// Revisa un conjunto: cada defecto con archivo, línea y remedio / check a set: each defect with file, line and remedy.
    Check(check::Check),
    /// Explica una decisión: cada regla que habló / explain a decision: every rule that spoke.
    Explain(explain::Explain),
    /// Compara dos conjuntos: qué cambia y qué sale de más / compare two sets: what changes, and what would leave that did not.
    Diff(diff::Diff),
    /// Repite decisiones registradas con otro conjunto / decide recorded decisions again by another set.
    Simulate(simulate::Simulate),
    /// Firma un acuerdo entre Estados / sign an agreement between states.
    Sign(sign::Sign),
    /// Propone un conjunto, con la firma de un funcionario / propose a set, under an officer's signature.
    Propose(change::Propose),
    /// Las propuestas / the proposals.
    Changes(change::Changes),
    /// Una propuesta: qué cambia y qué saldría de otro modo / a proposal: what changes and would leave otherwise.
    Show(change::Show),
    /// La pone en vigor, con otro funcionario / put it in force, together with another officer.
    Grant(change::State),
    /// La niega / refuse it.
    Refuse(change::State),
    /// Qué rigió, desde cuándo y por quién / what was in force, from when and by whom.
    History(change::History),
}

impl Policy {
    /// Does it.
    ///
    /// # Errors
    /// When policies, cases or the node cannot be read.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Test(test) => test.run(output),
            Self::Check(check) => check.run(output),
            Self::Explain(explain) => explain.run(output).await,
            Self::Diff(diff) => diff.run(output),
            Self::Simulate(simulate) => simulate.run(output).await,
            Self::Sign(sign) => sign.run(output),
            Self::Propose(propose) => propose.run(output).await,
            Self::Changes(changes) => changes.run(output).await,
            Self::Show(show) => show.run(output).await,
            Self::Grant(state) => state.run(Verdict::Grant, output).await,
            Self::Refuse(state) => state.run(Verdict::Refuse, output).await,
            Self::History(history) => history.run(output).await,
        }
    }
}

/// The set in a folder, or the one built in.
fn read_set(folder: Option<&PathBuf>) -> anyhow::Result<PolicySet> {
    let Some(folder) = folder else { return Ok(PolicySet::of_bytes(built_in_policies())?) };
    PolicySet::read(folder)
        .map_err(|error| anyhow::Error::new(error).context(format!("`{}`", folder.display())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use super::read_set;

    /// A folder with the built-in set, changed.
    pub(super) fn changed(change: impl FnOnce(&mut BTreeMap<String, String>)) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut files = read_set(None).unwrap().files().clone();
        change(&mut files);
        for (path, text) in files {
            puente_node::home::write_file(&folder.path().join(path), text.as_bytes()).unwrap();
        }
        folder
    }
}
