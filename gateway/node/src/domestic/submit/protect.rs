//! A submission against the protection holds: decided with the authority's facts, or stopped with one neutral word.
//!
//! Not here: the comparison (`core::protection`) and the second look before bytes leave (`crate::protection`).
//! INVARIANT: of a hold the submitter is told the authority to turn to, in one text; a dry run tells the same and is told to
//! the authority too, so that asking is never quieter than sending.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::Value;

use puente_core::delivery::Write;
use puente_core::ids::{Category, DecisionId};
use puente_core::policy::{Decision, Outcome as Decided, RuleId, SendFacts};
use puente_core::problem::{self, Problem};
use puente_core::protection::{
    Crowded, Found, Judged, NEUTRAL_RULE, Named, Ruling, StopKind, judge, neutral,
};

use crate::domestic::submit::form::{Outcome, Reason, Submission, Verdict};
use crate::domestic::submit::prepare::{Mode, Parts, Prepared};
use crate::protection::{Stopped, named_in, open_stop};

/// The rule of a decision that failed, as the engine names it.
const FAILED_RULE: &str = "R-ERR";

/// What the holds left of a submission.
pub(super) enum Compared {
    /// Policy decides.
    Decided(Box<Ruled>),
    /// It stops here.
    Stopped(Box<Prepared>),
}

/// A decision with what it rests on, the holds' facts among it.
pub(super) struct Ruled {
    /// What was decided on.
    pub(super) facts: SendFacts,
    /// By policy.
    pub(super) decision: Decision,
    /// Removals whose reason is not for the submitter.
    pub(super) hidden: BTreeSet<Category>,
    /// The determining rule is not for the submitter either.
    pub(super) hides_rule: bool,
    /// Whom the message names.
    pub(super) named: Named,
}

/// The reason of a removal or a redaction that is an authority's.
pub(super) fn withheld() -> Reason {
    Reason {
        id: NEUTRAL_RULE.to_owned(),
        es: "Esta categoría no sale.".to_owned(),
        en: "This category does not leave.".to_owned(),
    }
}

impl Parts<'_> {
    /// Looks for holds and decides with what they state.
    ///
    /// # Errors
    /// Only when something of this node's own failed.
    pub(super) fn compare(&self, facts: SendFacts, mode: &Mode) -> Result<Compared, Problem> {
        let Ok((named, found)) = self.look(&facts) else {
            return Ok(Compared::Stopped(Box::new(self.untold(&facts, mode)?)));
        };
        let (met, kind) = match judge(&self.rules.policy, &facts, found) {
            Ruling::Decided(judged) => {
                let Judged { facts: stated, decision, hidden, hides_rule } = *judged;
                let facts = stated.unwrap_or(facts);
                let ruled = Ruled { facts, decision, hidden, hides_rule, named };
                return Ok(Compared::Decided(Box::new(ruled)));
            }
            Ruling::Refused(met) => (met, StopKind::Refused),
            Ruling::Held(met) => (met, StopKind::Held),
        };
        Ok(Compared::Stopped(Box::new(self.stop(&facts, &met, kind, &named, mode)?)))
    }

    fn look(&self, facts: &SendFacts) -> Result<(Named, Vec<Found>), Crowded> {
        let holds = &self.node.holds;
        let on = Some(facts.now.to_zoned(TimeZone::UTC).date());
        let submission = self.submission;
        let named = named_in(&submission.sections, &submission.subject, on, holds.blind())?;
        let found = holds.find(&named.people, &submission.recipient.country, facts.now)?;
        Ok((named, found))
    }

    /// The stop and the one thing that the submitter is told.
    fn stop(
        &self,
        facts: &SendFacts,
        met: &Found,
        kind: StopKind,
        named: &Named,
        mode: &Mode,
    ) -> Result<Prepared, Problem> {
        let (node, submission) = (self.node, self.submission);
        // The thread is fixed now, so that what is released later lies under the same key as the draft.
        let draft = Submission { case: Some(self.case), ..submission.clone() };
        let draft = serde_json::to_vec(&draft).map_err(|_| Problem::new(&problem::INTERNAL))?;
        let outcome = if kind == StopKind::Held { Outcome::Held } else { Outcome::Refused };
        let (stop, mut writes) = open_stop(
            node,
            Stopped {
                kind: if *mode == Mode::DryRun { StopKind::Probed } else { kind },
                found: met,
                agency: &self.caller.agency,
                role: self.role,
                message_type: &submission.message_type,
                peer: &submission.recipient.country,
                operation: submission.operation,
                row: submission.row,
                message: None,
                departs_ms: self.departs_ms(),
                people: &named.people,
                draft: Some((self.subject, draft)),
            },
        )?;
        let mut verdict = Verdict::new(submission.row, outcome);
        let (es, en) = neutral(&stop.authority.agency);
        verdict.rule = Some(Reason { id: NEUTRAL_RULE.to_owned(), es, en });
        verdict.refer_to = Some(stop.authority.agency.clone());
        if *mode != Mode::DryRun {
            verdict.refusal_id = Some(stop.stop);
            let decided = if kind == StopKind::Held { Decided::NeedsApproval } else { Decided::Deny };
            writes.push(self.recorded(facts, decided, NEUTRAL_RULE)?);
        }
        Ok(Prepared { verdict, writes, preview: None, erases: None })
    }

    /// It could not be told whether the row meets a hold: refused as any failure to decide.
    fn untold(&self, facts: &SendFacts, mode: &Mode) -> Result<Prepared, Problem> {
        let mut verdict = Verdict::new(self.submission.row, Outcome::Refused);
        verdict.rule = Some(Reason {
            id: FAILED_RULE.to_owned(),
            es: "Falla al decidir: se niega.".to_owned(),
            en: "Failure while deciding: refused.".to_owned(),
        });
        let recorded =
            (*mode != Mode::DryRun).then(|| self.recorded(facts, Decided::Deny, FAILED_RULE)).transpose()?;
        Ok(Prepared { verdict, writes: recorded.into_iter().collect(), preview: None, erases: None })
    }

    /// A decision that is not the policies': with the facts as they were submitted.
    fn recorded(&self, facts: &SendFacts, outcome: Decided, rule: &str) -> Result<Write, Problem> {
        let rule: RuleId = rule.parse().map_err(|_| Problem::new(&problem::INTERNAL))?;
        let decision = Decision {
            outcome,
            spoke: vec![rule.clone()],
            rule,
            removed: BTreeMap::new(),
            deliver: BTreeSet::new(),
            obligations: Vec::new(),
            digest: self.rules.policy.digest(),
            lapses_at: None,
        };
        let id = DecisionId(self.node.fresh_id());
        Ok(Write::Decision(self.decision_row(facts, &decision, id, None)?))
    }

    /// When the transport leaves, as far as the row says: departure, or else arrival.
    fn departs_ms(&self) -> Option<i64> {
        let section = self.submission.sections.iter().find(|(name, _)| name.as_str() == "return.logistics");
        let logistics = section?.1.reveal();
        let text = |name: &str| logistics.get(name).and_then(Value::as_str);
        let stated = text("departs_at").or_else(|| text("eta"))?;
        let at =
            stated.parse::<Timestamp>().or_else(|_| stated.parse::<Zoned>().map(|at| at.timestamp())).ok()?;
        Some(at.as_millisecond())
    }
}
