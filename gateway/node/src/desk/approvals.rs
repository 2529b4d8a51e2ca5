//! Held rows: what was submitted beside what the other country would read, each removal with its rule, and the officer's word.
//!
//! Not here: what two words come to; the node says it. INVARIANT: an officer signs the preview that the page showed, and no
//! later one.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use puente_core::approval::Verdict;
use puente_core::authority::{Approves, TYP_APPROVES};
use puente_core::ids::{ApprovalId, Digest};
use puente_core::policy::Approval;

use crate::client::Decides;

use super::Room;
use super::clock::{Due, hour, span};
use super::door::Visit;
use super::labels::{Labels, Section};
use super::page::{Frame, Place, form};
use super::reach::{Rule, Trouble, each, number, text};
use super::words::{Language, Words};

/// Ends that an authority's act may have, hours; the rule's own bound is offered too.
const HOURS: [i64; 4] = [24, 72, 168, 336];

/// Reasons that are offered, as codes, with their phrases.
const REASONS: [(&str, Phrase); 5] = [
    ("reviewed", |words| words.reason_reviewed),
    ("assessed", |words| words.reason_assessed),
    ("family_unity", |words| words.reason_family_unity),
    ("not_in_interest", |words| words.reason_not_in_interest),
    ("incomplete", |words| words.reason_incomplete),
];

type Phrase = fn(&Words) -> &'static str;

/// One held row in a list.
struct Held {
    id: String,
    title: String,
    to: String,
    rules: String,
    due: Due,
}

#[derive(Template)]
#[template(path = "approvals.html")]
struct Approvals {
    frame: Frame,
    now_ms: i64,
    lists: Vec<(&'static str, &'static str, Vec<Held>)>,
    nothing: bool,
}

/// `GET /approvals`.
pub(super) async fn list(State(room): State<Arc<Room>>, visit: Visit) -> Response {
    let page = approvals(&room, &visit).await;
    room.show(&visit, Place::Approvals, page)
}

async fn approvals(room: &Room, visit: &Visit) -> Result<Approvals, Trouble> {
    let labels = room.desk.labels().await?;
    let words = visit.language.words();
    let now_ms = room.desk.now_ms();
    let held = |row: &Value| held(row, &labels, visit.language, now_ms);
    let own = room.desk.get("/v1/approvals?state=open").await?;
    let authority = room.desk.get("/v1/approvals?state=open&for_authority=true").await?;
    let rows = |answer: &Value| each(answer, "approvals").map(held).collect::<Vec<_>>();
    let lists = vec![
        ("authority", words.approvals_authority, rows(&authority)),
        ("own", words.approvals_own, rows(&own)),
    ];
    Ok(Approvals {
        frame: room.frame(visit, Place::Approvals),
        now_ms,
        nothing: lists.iter().all(|(_, _, rows)| rows.is_empty()),
        lists,
    })
}

fn held(row: &Value, labels: &Labels, language: Language, now_ms: i64) -> Held {
    let words = language.words();
    let rules: Vec<_> = each(row, "rules").filter_map(Value::as_str).collect();
    Held {
        id: text(row, "approval_id").to_owned(),
        title: labels.message_type(text(row, "type"), language),
        to: labels.country(text(row, "to"), language),
        rules: rules.join(", "),
        due: Due::of(words.lapses_in, number(row, "lapses_ms").unwrap_or_default(), now_ms, words),
    }
}

/// One category before and after; without `Debug`, for it is content.
struct Compared {
    section: Section,
    removed: Option<Removal>,
}

/// A removal in one sentence with its rule.
struct Removal {
    rule: String,
    why: String,
}

impl Removal {
    fn of(rule: &Rule, language: Language) -> Self {
        Self { rule: rule.id.clone(), why: language.of(&rule.es, &rule.en).to_owned() }
    }
}

struct Spoken {
    who: String,
    said: &'static str,
    at: String,
}

/// What an authority's officer may give, with the ends to choose from.
struct Gives {
    code: &'static str,
    label: &'static str,
    ends: Vec<(i64, String)>,
}

#[derive(Template)]
#[template(path = "approval.html")]
struct ApprovalPage {
    frame: Frame,
    now_ms: i64,
    row: Held,
    open: bool,
    state: &'static str,
    stale: bool,
    why: Option<Removal>,
    cut: bool,
    compared: Vec<Compared>,
    spoken: Vec<Spoken>,
    states: bool,
    gives: Vec<Gives>,
    preview: String,
    reasons: Vec<(&'static str, &'static str)>,
}

/// `GET /approvals/{id}`.
pub(super) async fn show(
    State(room): State<Arc<Room>>,
    visit: Visit,
    Path(id): Path<ApprovalId>,
) -> Response {
    let page = approval(&room, &visit, id).await;
    room.show(&visit, Place::Approvals, page)
}

async fn approval(room: &Room, visit: &Visit, id: ApprovalId) -> Result<ApprovalPage, Trouble> {
    let (desk, language) = (&room.desk, visit.language);
    let words = language.words();
    let labels = desk.labels().await?;
    let shown = desk.get(&format!("/v1/approvals/{id}")).await?;
    let none = Value::Null;
    let row = shown.get("approval").unwrap_or(&none);
    let verdict = shown.get("verdict").unwrap_or(&none);
    let may = shown.get("you_may").unwrap_or(&none);
    let stale = shown.get("stale") != Some(&Value::Bool(false));
    let open = text(row, "state") == "open";
    let compared = compared(&shown, verdict, &labels, language);
    let spoken = each(&shown, "statements").map(|said| Spoken {
        who: format!("{} · {}", text(said, "officer"), text(said, "agency")),
        said: if text(said, "verdict") == "grant" { words.grants } else { words.refuses },
        at: number(said, "at_ms").map(|at| hour(at, &desk.zone)).unwrap_or_default(),
    });
    Ok(ApprovalPage {
        frame: room.frame(visit, Place::Approvals),
        now_ms: desk.now_ms(),
        row: held(row, &labels, language, desk.now_ms()),
        open,
        state: closed_in_words(text(row, "state"), words),
        stale: stale && open,
        why: rule_of(verdict).map(|rule| Removal::of(&rule, language)),
        cut: compared.iter().any(|one| one.removed.is_some()),
        compared,
        spoken: spoken.collect(),
        states: open && !stale && may.get("state") == Some(&Value::Bool(true)),
        gives: each(may, "give").filter(|_| open && !stale).filter_map(|give| gives(give, words)).collect(),
        preview: text(row, "preview").to_owned(),
        reasons: REASONS.iter().map(|(code, phrase)| (*code, phrase(words))).collect(),
    })
}

fn closed_in_words(state: &str, words: &Words) -> &'static str {
    match state {
        "granted" => words.state_granted,
        "refused" => words.state_refused,
        _ => words.state_lapsed,
    }
}

fn rule_of(said: &Value) -> Option<Rule> {
    serde_json::from_value(said.get("rule")?.clone()).ok()
}

/// Every category that was submitted, with the rule that keeps it back where one does.
fn compared(shown: &Value, verdict: &Value, labels: &Labels, language: Language) -> Vec<Compared> {
    let after = shown.get("after");
    let before = shown.get("before").and_then(Value::as_object).into_iter().flatten();
    before
        .map(|(category, section)| {
            let removed = each(verdict, "removed").find(|removed| text(removed, "category") == category);
            let kept = after.is_some_and(|after| after.get(category).is_some());
            let removed = removed.and_then(rule_of).map(|rule| Removal::of(&rule, language));
            // What would not be read is never shown as if it would, whether or not a rule says why.
            let unexplained = || Removal { rule: String::new(), why: String::new() };
            Compared {
                section: labels.section(category, section, language),
                removed: if kept { None } else { Some(removed.unwrap_or_else(unexplained)) },
            }
        })
        .collect()
}

fn gives(give: &Value, words: &Words) -> Option<Gives> {
    let approval = approval_of(text(give, "approval"))?;
    let most = number(give, "max_hours")?;
    let mut hours: Vec<i64> = HOURS.into_iter().filter(|hours| *hours < most).chain([most]).collect();
    hours.dedup();
    Some(Gives {
        code: approval.code(),
        label: match approval {
            Approval::SenderChildProtection => words.gives_sender_child_protection,
            Approval::RecipientChildProtection => words.gives_recipient_child_protection,
            Approval::MissingChildAuthority => words.gives_missing_child_authority,
        },
        ends: hours.into_iter().map(|hours| (hours, span(hours * 60, words))).collect(),
    })
}

fn approval_of(code: &str) -> Option<Approval> {
    Approval::ALL.into_iter().find(|approval| approval.code() == code)
}

/// A code that the page offered.
fn reason_of(code: String) -> Result<String, Trouble> {
    if REASONS.iter().any(|(own, _)| *own == code) { Ok(code) } else { Err(Trouble::Form) }
}

/// What the node made of an officer's word.
fn outcome(answer: &Value) -> Phrase {
    match text(answer, "state") {
        "granted" => |words| words.granted,
        "refused" => |words| words.refused,
        _ => |words| words.noted,
    }
}

#[derive(Deserialize)]
struct Decision {
    verdict: Verdict,
    preview: Digest,
    reason: String,
}

/// `POST /approvals/{id}/state`: one of the two who release it.
pub(super) async fn state(
    State(room): State<Arc<Room>>,
    visit: Visit,
    Path(id): Path<ApprovalId>,
    body: Body,
) -> Response {
    let done = async {
        let Decision { verdict, preview, reason } = form(&visit, body).await?;
        let decides = Decides { approval: id, preview, verdict, reason: reason_of(reason)? };
        let signed = room.desk.officer.states(decides, room.desk.at_screen())?;
        room.desk.say(&format!("/v1/approvals/{id}/statements"), signed).await
    };
    let done = done.await.map(|answer| outcome(&answer));
    room.next(&visit, &format!("/approvals/{id}"), done)
}

#[derive(Deserialize)]
struct Gift {
    approval: String,
    verdict: Verdict,
    preview: Digest,
    reason: String,
    hours: i64,
}

/// `POST /approvals/{id}/give`: for the authority whose approval the rule asks for.
pub(super) async fn give(
    State(room): State<Arc<Room>>,
    visit: Visit,
    Path(id): Path<ApprovalId>,
    body: Body,
) -> Response {
    let done = async {
        let Gift { approval, verdict, preview, reason, hours } = form(&visit, body).await?;
        let now = Timestamp::from_millisecond(room.desk.now_ms()).map_err(|_| Trouble::Form)?;
        let hours = SignedDuration::try_from_hours(hours).ok_or(Trouble::Form)?;
        let says = Approves {
            approval: approval_of(&approval).ok_or(Trouble::Form)?,
            row: id,
            preview,
            verdict,
            until: now.checked_add(hours).map_err(|_| Trouble::Form)?,
            reason: reason_of(reason)?,
        };
        let signed = room.desk.officer.acts(TYP_APPROVES, says, room.desk.at_screen())?;
        room.desk.say(&format!("/v1/approvals/{id}/authority"), signed).await
    };
    let done = done.await.map(|answer| outcome(&answer));
    room.next(&visit, &format!("/approvals/{id}"), done)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_would_not_be_read_is_never_shown_as_if_it_would() {
        let shown = json!({"before": {"id.core": {"sex": "F"}, "contact": {"x": 1}, "asylum.status": {"stage": "lodged"}},
                           "after": {"id.core": {"sex": "F"}}});
        let verdict = json!({"removed": [{"category": "contact", "rule": {"id": "R-MIN-01", "es": "No hace falta.", "en": "Not needed."}}]});
        let compared = compared(&shown, &verdict, &Labels::default(), Language::Es);
        let said: Vec<_> = compared
            .iter()
            .map(|one| (one.section.label.as_str(), one.removed.as_ref().map(|removed| removed.why.as_str())))
            .collect();
        assert_eq!(
            said,
            [("id.core", None), ("contact", Some("No hace falta.")), ("asylum.status", Some(""))]
        );
    }

    #[test]
    fn an_authority_is_offered_no_end_beyond_the_rules_bound() {
        let give = json!({"approval": "missing_child_authority", "max_hours": 72});
        let gives = gives(&give, Language::Es.words()).unwrap();
        assert_eq!(gives.ends.iter().map(|(hours, _)| *hours).collect::<Vec<_>>(), [24, 72]);
        assert!(
            super::gives(&json!({"approval": "unheard_of", "max_hours": 72}), Language::Es.words()).is_none()
        );
    }
}
