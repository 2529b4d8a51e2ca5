//! A step of a child's case against where the case stands, before anything is decided or queued.
//!
//! Not here: steps that come in; those are never refused for their place. INVARIANT: what is refused here says what may
//! follow, in both languages and as types.

use std::collections::BTreeSet;

use puente_core::cases::{Illegal, SaidNothing, StepKind, said};
use puente_core::catalogue::Catalogue;
use puente_core::envelope::StepRef;
use puente_core::ids::{CaseId, Category, MessageType};
use puente_core::problem::{self, Problem};

use crate::cases::Held;
use crate::domestic::messages::visible;
use crate::domestic::submit::form::{Finding, Submission};
use crate::node::Node;
use crate::register::KnownAgency;

/// Why a step goes no further.
pub(super) enum Misstep {
    /// It names nothing, something else, or the store failed.
    Problem(Problem),
    /// The case does not allow it now.
    NotAllowed(Finding, Vec<MessageType>),
}

impl From<Problem> for Misstep {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// The step that a submission is; `None` when it is none: reports and closings also stand outside a transfer, and an
/// authority says yes or no in the thread before it can be offered the case (decision 0019).
fn kind_of(submission: &Submission) -> Option<StepKind> {
    let kind = StepKind::of(&submission.message_type)?;
    let alone = matches!(kind, StepKind::Accept | StepKind::Reject | StepKind::FollowUp | StepKind::Closure);
    (!(alone && submission.in_reply_to.is_none())).then_some(kind)
}

/// The thread of the case that a submission carries on; `None` when it carries on none.
///
/// # Errors
/// `field.missing` and `case.unknown` when it does not name an offer of the caller's, `field.invalid` when it is put into
/// another thread, `case.step_not_allowed` when it may not be taken now.
pub(super) async fn thread_of(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
) -> Result<Option<CaseId>, Misstep> {
    let Some(kind) = kind_of(submission).filter(|kind| *kind != StepKind::Offer) else { return Ok(None) };
    let named = || Problem::new(&problem::FIELD_MISSING).at("/in_reply_to");
    let transfer = submission.in_reply_to.ok_or_else(named)?;
    let held = Held::read(node, transfer).await?;
    let country = &submission.recipient.country;
    let offer = held.offer().filter(|offer| visible(caller, offer) && offer.peer == *country);
    let side = held.state.side(node.country());
    let (Some(offer), Some(side)) = (offer, side) else {
        return Err(Problem::new(&problem::CASE_UNKNOWN).at("/in_reply_to").into());
    };
    if submission.case.is_some_and(|case| case != offer.case) {
        return Err(Problem::new(&problem::FIELD_INVALID).at("/case").into());
    }
    let all = submission.sections.keys().cloned().collect();
    let day = stated(submission, &all)?.and_then(|step| step.day);
    match held.state.may(side, kind, day) {
        Ok(()) => Ok(Some(offer.case)),
        Err(Illegal { allowed }) => Err(not_allowed(&node.rules.get().catalogue, &allowed)),
    }
}

/// What the header repeats of a step, from the sections that are released; `None` when it is no step, or says no hours.
///
/// # Errors
/// `field.missing` for a follow-up that does not say which it is.
pub(super) fn stated(
    submission: &Submission,
    released: &BTreeSet<Category>,
) -> Result<Option<StepRef>, Problem> {
    let Some(kind) = kind_of(submission) else { return Ok(None) };
    let sections = submission.sections.iter().map(|(category, section)| (category, section.reveal()));
    said(kind, sections, released)
        .map_err(|SaidNothing| Problem::new(&problem::FIELD_MISSING).at("/sections/ops.metadata/day"))
}

fn not_allowed(catalogue: &Catalogue, allowed: &[StepKind]) -> Misstep {
    let kind = &problem::CASE_STEP;
    let types: Vec<MessageType> = allowed.iter().filter_map(|kind| kind.type_name().parse().ok()).collect();
    let titles: Vec<_> =
        types.iter().filter_map(|name| catalogue.descriptor(name, None)).map(|known| &known.title).collect();
    let listed = |words: Vec<&str>, none: &str| match words.as_slice() {
        [] => none.to_owned(),
        words => words.join("; "),
    };
    let es = listed(titles.iter().map(|title| title.es.as_str()).collect(), "nada");
    let en = listed(titles.iter().map(|title| title.en.as_str()).collect(), "nothing");
    let finding = Finding {
        code: kind.code.to_owned(),
        field: "/type".to_owned(),
        es: format!("{} Sigue: {es}.", kind.es),
        en: format!("{} Next: {en}.", kind.en),
    };
    Misstep::NotAllowed(finding, types)
}
