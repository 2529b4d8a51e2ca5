//! The decision function: facts about a message and the rules in force, in; a decision, out.
//!
//! Total: an error, a panic inside the rule engine, an unknown obligation or a missing profile is a
//! refusal. Facts are three-valued and silence is never a "no". The rules are data (`policies/`).
//! Not here: who looks the facts up (`puente-node`) and the record of what was decided (`evidence`).

mod agreement;
mod approver;
mod basis;
mod cache;
pub mod cases;
mod context;
mod decision;
mod defect;
mod determiner;
mod difference;
mod engine;
mod explain;
mod facts;
mod files;
mod permit;
mod profile;
mod question;
mod recorded;
mod rule;
mod rulebook;
mod subject;
mod vocabulary;

pub use agreement::{Agreements, Directions, TYP_AGREEMENT};
pub use approver::{Approver, Approvers, ByMessage};
pub use basis::{AgreementClaim, BasisType, Consent, ConsentStatus, GivenBy, LegalBasis, Scope, Standing};
pub use cache::CacheCounts;
pub use decision::{Decision, Outcome};
pub use defect::{Defect, defects};
pub use determiner::{Determiner, Determiners};
pub use difference::{Changes, Difference, Shift, difference, shift};
pub use engine::PolicyEngine;
pub use explain::{Asked, Effect, Explanation, Voice};
pub use facts::{
    Approval, ConsentExtract, HostFacts, Known, Party, PeerStatus, ReceiveFacts, SendFacts, StatedFacts,
};
pub use files::PolicyError;
pub use permit::Permit;
pub use profile::{Profile, ProfileStatus};
pub use recorded::RecordedFacts;
pub use rule::{Release, Rule, RuleId, Stage};
pub use subject::{Flag, Kind, Protection, Subject};

#[cfg(test)]
pub(crate) mod tests;
