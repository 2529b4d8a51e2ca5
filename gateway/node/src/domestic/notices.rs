//! What recipients have to be told after the fact: withdrawal, correction, erasure; one ladder for all three.
//!
//! A notice is a message like any other, released by the same rules; what a rule keeps here is listed with that rule
//! and alarmed, never dropped. Not here: answers, which the federation face takes in. INVARIANT: a notice is opened in
//! the commit of the act that makes it necessary, and stays unresolved until its recipient has answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use puente_core::catalogue::Descriptor;
use puente_core::consent::{StatusEvent, leaves, left};
use puente_core::delivery::{
    DisclosureRow, Event, EventKind, NoticeKind, NoticeRow, NoticeState, OutboundState, Write,
};
use puente_core::envelope::RecipientRef;
use puente_core::ids::{AgencyId, Category, MessageType, NoticeId, Role};
use puente_core::personal::Personal;
use puente_core::problem::{self, Problem};

use crate::consent::{Kept, Rests};
use crate::domestic::disclosures::every_line;
use crate::domestic::submit::{Mode, Submission, prepare_resting_on};
use crate::node::{Node, store_problem};
use crate::register::KnownAgency;
use crate::serve::{self, ProblemReply, json_reply, read_body, read_json};
use crate::store::{Disclosed, NoticeFilter};

/// Without a term in the catalogue an answer is due in three days (DOMAIN.md 3.3 G).
const DUE_MINUTES: u32 = 72 * 60;

/// Notices looked at in one round.
const AT_ONCE: u32 = 200;

/// Writes that open notices, and how many.
#[derive(Default)]
pub struct Opened {
    /// The writes.
    pub writes: Vec<Write>,
    told: BTreeSet<Addressee>,
}

impl Opened {
    /// How many recipients are told.
    #[must_use]
    pub fn count(&self) -> usize {
        self.told.len()
    }
}

/// One recipient that the ledger knows, as seen by one agency of ours.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
struct Addressee {
    country: puente_core::ids::CountryCode,
    role: Role,
    agency: Option<AgencyId>,
    from: AgencyId,
    acting: Role,
}

impl Addressee {
    fn of(line: &DisclosureRow) -> Self {
        Self {
            country: line.country.clone(),
            role: line.to_role.clone(),
            agency: line.to_agency.clone(),
            from: line.agency.clone(),
            acting: line.role.clone(),
        }
    }

    fn of_notice(row: &NoticeRow) -> Self {
        Self {
            country: row.country.clone(),
            role: row.to_role.clone(),
            agency: row.to_agency.clone(),
            from: row.agency.clone(),
            acting: row.role.clone(),
        }
    }

    fn caller(&self) -> KnownAgency {
        KnownAgency { agency: self.from.clone(), roles: vec![self.acting.clone()] }
    }
}

/// The type of message that carries a notice of this kind.
const fn carrier(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Withdrawal => "consent.withdraw",
        NoticeKind::Correction => "data.correction.notice",
        NoticeKind::Erasure => "data.erasure.order",
    }
}

const fn purpose(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Withdrawal => "consent_control",
        NoticeKind::Correction | NoticeKind::Erasure => "data_subject_rights",
    }
}

/// Notices to every recipient from whom the last event of the consent took something that it had been told under.
///
/// # Errors
/// The store's problem, or that of a key; then nothing may be written.
pub async fn withdrawal_notices(node: &Node, kept: &Kept) -> Result<Opened, Problem> {
    notices_but(node, kept, &BTreeSet::new()).await
}

/// Tells those to whom a message was released between the look at the ledger and the commit of the event; what is
/// released after that commit is judged by it before it leaves.
///
/// # Errors
/// As [`withdrawal_notices`].
pub async fn tell_the_missed(node: &Node, kept: &Kept, opened: &Opened) -> Result<(), Problem> {
    let missed = notices_but(node, kept, &opened.told).await?;
    if !missed.writes.is_empty() {
        node.commit(missed.writes).await.map_err(|error| store_problem(&error))?;
    }
    Ok(())
}

async fn notices_but(node: &Node, kept: &Kept, told_before: &BTreeSet<Addressee>) -> Result<Opened, Problem> {
    let consent = kept.record.claims().record_id;
    let mut told: BTreeMap<Addressee, bool> = BTreeMap::new();
    let events = kept.claims_of_events();
    for (line, _) in every_line(node, Disclosed::Under(consent)).await? {
        let lost = is_lost(kept, &events, &line);
        *told.entry(Addressee::of(&line)).or_default() |= lost;
    }
    // The event is not stored yet, and the notice has to say what it leaves.
    let rests = Rests::Own(Box::new(kept.clone()));
    let mut opened = Opened::default();
    for (addressee, _) in told.into_iter().filter(|(to, lost)| *lost && !told_before.contains(to)) {
        let draft = withdrawal(kept, &addressee)?;
        open(node, NoticeKind::Withdrawal, Some(&rests), &addressee, &draft, &mut opened)?;
    }
    Ok(opened)
}

/// Whether the last event took away what was told in this line; what an earlier one took was told then.
fn is_lost(kept: &Kept, events: &[StatusEvent], line: &DisclosureRow) -> bool {
    let record = kept.record.claims();
    let holds =
        |events: &[StatusEvent]| leaves(record, events, &line.country, &line.purpose, &line.categories);
    let before = events.split_last().map_or(events, |(_, before)| before);
    holds(before) && !holds(events)
}

/// The submission that tells one recipient what is left of a consent.
fn withdrawal(kept: &Kept, to: &Addressee) -> Result<Submission, Problem> {
    let record = kept.record.claims();
    let last = kept.events.last().map(|event| event.claims().occurred_at.timestamp());
    let whole = left(record, &kept.claims_of_events(), &to.country).0.is_empty();
    let section = json!({
        "consent": record.record_id,
        "state": if whole { "withdrawn" } else { "narrowed" },
        "at": last.unwrap_or_else(|| record.event.occurred_at.timestamp()).to_string(),
    });
    let mut draft = draft(NoticeKind::Withdrawal, to, [("consent.record", section)])?;
    draft.legal_basis.consent_id = Some(record.record_id);
    draft.subject_id = Some(record.principal.reference.clone());
    Ok(draft)
}

fn draft<const N: usize>(
    kind: NoticeKind,
    to: &Addressee,
    sections: [(&str, Value); N],
) -> Result<Submission, Problem> {
    let sections: Map<String, Value> =
        sections.into_iter().map(|(category, section)| (category.to_owned(), section)).collect();
    let recipient =
        RecipientRef { country: to.country.clone(), role: to.role.clone(), agency: to.agency.clone() };
    Submission::from_json(json!({
        "type": carrier(kind),
        "role": to.acting,
        "recipient": recipient,
        "purpose": purpose(kind),
        "legal_basis": {"type": "control"},
        "subject": {"kind": "none"},
        "facts": {"identity_proven": "yes"},
        "sections": sections,
    }))
    .map_err(|_| Problem::new(&problem::INTERNAL))
}

/// Releases one notice, or lists it with the rule that keeps it here.
fn open(
    node: &Node,
    kind: NoticeKind,
    rests: Option<&Rests>,
    to: &Addressee,
    draft: &Submission,
    opened: &mut Opened,
) -> Result<(), Problem> {
    let prepared = prepare_resting_on(node, &to.caller(), draft, rests, &Mode::Submit)?;
    let now_ms = node.clock.now_ms();
    let kept_here = || {
        let rule = prepared.verdict.rule.as_ref().map(|rule| rule.id.clone());
        rule.or_else(|| prepared.verdict.problems.first().map(|finding| finding.code.clone()))
    };
    let code = if prepared.verdict.message_id.is_some() { None } else { kept_here() };
    opened.writes.push(Write::Notice(NoticeRow {
        notice: NoticeId(node.fresh_id()),
        kind,
        consent: draft.legal_basis.consent_id,
        message: prepared.verdict.message_id,
        agency: to.from.clone(),
        role: to.acting.clone(),
        country: to.country.clone(),
        to_role: to.role.clone(),
        to_agency: to.agency.clone(),
        opened_ms: now_ms,
        due_ms: now_ms.saturating_add(i64::from(due_minutes(node, kind)).saturating_mul(60_000)),
        state: NoticeState::Open,
        code,
        reply: None,
        closed_ms: None,
    }));
    opened.writes.extend(prepared.writes);
    opened.told.insert(to.clone());
    Ok(())
}

fn due_minutes(node: &Node, kind: NoticeKind) -> u32 {
    descriptor(node, kind, |carrier| carrier.deadlines.acknowledge_minutes).flatten().unwrap_or(DUE_MINUTES)
}

/// What the catalogue says of the type that carries notices of this kind.
fn descriptor<T>(node: &Node, kind: NoticeKind, read: impl FnOnce(&Descriptor) -> T) -> Option<T> {
    let carried: MessageType = carrier(kind).parse().ok()?;
    node.rules.get().catalogue.descriptor(&carried, None).map(read)
}

/// Query of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Notices after this cursor; 0 from the beginning.
    #[serde(default)]
    after: i64,
    /// Most notices.
    #[serde(default = "most")]
    limit: u32,
}

const fn most() -> u32 {
    100
}

/// `GET /v1/notices`: whom the caller's agency had to tell, and who has answered what.
pub async fn list(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    ask: serve::Ask<Ask>,
) -> Result<Response, ProblemReply> {
    let ask = serve::asked(ask)?;
    let filter = NoticeFilter::Of(caller.agency.clone());
    let found = node.store.notices(filter, ask.after, ask.limit.clamp(1, 500)).await;
    let found = found.map_err(|error| store_problem(&error))?;
    let next = found.last().map_or(ask.after, |(cursor, _)| *cursor);
    let notices: Vec<NoticeRow> = found.into_iter().map(|(_, row)| row).collect();
    Ok(json_reply(StatusCode::OK, &json!({"notices": notices, "next": next})))
}

/// A correction or an order to erase, as an agency asks for it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoticeForm {
    kind: NoticeKind,
    subject_id: Personal<String>,
    #[serde(default)]
    sections: BTreeMap<Category, Personal<Value>>,
}

/// `POST /v1/notices`: tells every recipient that the caller's agency told about a person that it was wrong, or is to
/// be erased.
pub async fn tell(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    body: Body,
) -> Result<Response, ProblemReply> {
    let bytes =
        read_body(body, node.config.limits.domestic_body_bytes, node.config.times.body_seconds).await?;
    let form: NoticeForm = read_json(&bytes)?;
    if form.kind == NoticeKind::Withdrawal {
        return Err(Problem::new(&problem::FIELD_INVALID).at("/kind").into());
    }
    let subject = node.pairwise(node.country(), form.subject_id.reveal());
    let known = every_line(&node, Disclosed::About(subject)).await?;
    let own = known.iter().map(|(line, _)| line).filter(|line| line.agency == caller.agency);
    let to: BTreeSet<Addressee> = own.map(Addressee::of).collect();
    let mut opened = Opened::default();
    for addressee in &to {
        let mut draft = draft(form.kind, addressee, [])?;
        draft.subject_id = Some(form.subject_id.clone());
        draft.sections.clone_from(&form.sections);
        open(&node, form.kind, None, addressee, &draft, &mut opened)?;
    }
    let count = opened.count();
    node.commit(opened.writes).await.map_err(|error| store_problem(&error))?;
    Ok(json_reply(StatusCode::ACCEPTED, &json!({"notices": count})))
}

/// Marks what is overdue, sends again what expired on its way, counts what is unresolved; answers how many are.
///
/// # Errors
/// When the store or a key fails; the next round does what this one did not.
pub async fn look_after_notices(node: &Node) -> Result<usize, Problem> {
    let (mut after, mut unresolved, mut overdue) = (0, 0_usize, 0_usize);
    loop {
        let page = node.store.notices(NoticeFilter::Unresolved, after, AT_ONCE).await;
        let page = page.map_err(|error| store_problem(&error))?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        for (_, row) in &page {
            unresolved += 1;
            let late = row.due_ms <= node.clock.now_ms();
            overdue += usize::from(late);
            let mut writes =
                if late && row.state == NoticeState::Open { alarm(node, row) } else { Vec::new() };
            writes.extend(again(node, row).await?);
            if !writes.is_empty() {
                node.commit(writes).await.map_err(|error| store_problem(&error))?;
            }
        }
    }
    node.metrics.notices(unresolved, overdue);
    Ok(unresolved)
}

fn alarm(node: &Node, row: &NoticeRow) -> Vec<Write> {
    tracing::warn!(notice = %row.notice, kind = row.kind.as_str(), peer = %row.country, "a recipient has not confirmed in time");
    let at_ms = node.clock.now_ms();
    let overdue = NoticeState::Overdue;
    vec![
        Write::NoticeState { notice: row.notice, state: overdue, code: None, reply: None, at_ms },
        Write::Event(Event {
            kind: EventKind::NoticeState,
            agency: Some(row.agency.clone()),
            role: row.role.clone(),
            message: row.message,
            approval: None,
            message_type: carrier(row.kind).parse().ok(),
            state: overdue.as_str().to_owned(),
            at_ms,
        }),
    ]
}

/// A withdrawal does not expire: when its message did, another carries it on.
async fn again(node: &Node, row: &NoticeRow) -> Result<Vec<Write>, Problem> {
    // Spares looking at every message in every round: none expires before its type lets it.
    let life_ms = descriptor(node, row.kind, |carrier| i64::from(carrier.expires_hours) * 3_600_000);
    if life_ms.is_none_or(|life_ms| node.clock.now_ms() < row.opened_ms.saturating_add(life_ms)) {
        return Ok(Vec::new());
    }
    let (Some(message), Some(consent)) = (row.message, row.consent) else { return Ok(Vec::new()) };
    let carried = node.store.message(message).await.map_err(|error| store_problem(&error))?;
    let expired = carried.is_some_and(|carried| carried.state == OutboundState::Expired.as_str());
    if !expired {
        return Ok(Vec::new());
    }
    let Some(kept) = Kept::find(node, consent).await? else { return Ok(Vec::new()) };
    let to = Addressee::of_notice(row);
    let draft = withdrawal(&kept, &to)?;
    let rests = Rests::Own(Box::new(kept));
    let prepared = prepare_resting_on(node, &to.caller(), &draft, Some(&rests), &Mode::Submit)?;
    let Some(message) = prepared.verdict.message_id else { return Ok(Vec::new()) };
    let mut writes = prepared.writes;
    writes.push(Write::NoticeMessage { notice: row.notice, message });
    Ok(writes)
}
