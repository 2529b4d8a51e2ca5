//! The protection inbox: what somebody here has to answer, and what the other country still owes, by clock.
//!
//! Not here: the content of an alert (`alert`). INVARIANT: the list opens nothing, so that looking at it tells no country that
//! its alert was read.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::{Value, json};

use puente_core::ids::Digest;

use super::clock::Due;
use super::door::Visit;
use super::labels::Labels;
use super::page::{Frame, Place};
use super::reach::{Trouble, each, number, text};
use super::words::{Language, Words};
use super::{Desk, Room};

/// Where an alert stands, and what runs out next.
pub(super) struct Standing {
    /// Its id.
    pub(super) id: String,
    /// What it is called.
    pub(super) title: String,
    /// The other country.
    pub(super) peer: String,
    /// Its state, in words.
    pub(super) state: &'static str,
    /// What runs out next.
    pub(super) due: Option<Due>,
    /// Whether somebody here has to answer it.
    pub(super) is_ours: bool,
    /// Whether its answer is still to come.
    pub(super) waits: bool,
    /// Whether it is answered and the first action is still to come.
    pub(super) unacted: bool,
}

impl Standing {
    /// Of an alert as the node lists it.
    pub(super) fn of(alert: &Value, labels: &Labels, language: Language, now_ms: i64) -> Self {
        let words = language.words();
        let is_ours = text(alert, "side") == "receiver";
        let state = text(alert, "state");
        let waits = matches!(state, "waits" | "no_answer");
        let unacted = state == "answered" && number(alert, "act_by_ms").is_some();
        let due = match (waits, unacted) {
            (true, _) => number(alert, "answer_by_ms")
                .map(|at| (if is_ours { words.answer_in } else { words.answer_due_in }, at)),
            (_, true) => number(alert, "act_by_ms")
                .map(|at| (if is_ours { words.act_in } else { words.act_due_in }, at)),
            _ => None,
        };
        Self {
            id: text(alert, "alert_id").to_owned(),
            title: labels.message_type(text(alert, "type"), language),
            peer: labels.country(text(alert, "peer"), language),
            state: state_in_words(state, words),
            due: due.map(|(what, at_ms)| Due::of(what, at_ms, now_ms, words)),
            is_ours,
            waits,
            unacted,
        }
    }
}

fn state_in_words(state: &str, words: &Words) -> &'static str {
    match state {
        "waits" => words.state_waits,
        "no_answer" => words.state_no_answer,
        "answered" => words.state_answered,
        "answered_by_telephone" => words.state_telephone,
        "acted" => words.state_acted,
        _ => words.state_not_taken,
    }
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct Inbox {
    frame: Frame,
    pulse: String,
    now_ms: i64,
    to_answer: Vec<Standing>,
    waiting: Vec<Standing>,
}

/// `GET /alerts`.
pub(super) async fn list(State(room): State<Arc<Room>>, visit: Visit) -> Response {
    let page = inbox(&room, &visit).await;
    room.show(&visit, Place::Inbox, page)
}

async fn inbox(room: &Room, visit: &Visit) -> Result<Inbox, Trouble> {
    let labels = room.desk.read_labels().await?;
    let answer = room.desk.get("/v1/alerts").await?;
    let now_ms = room.desk.now_ms();
    let standing = |alert| Standing::of(alert, &labels, visit.language, now_ms);
    let mut all: Vec<Standing> = each(&answer, "alerts").map(standing).collect();
    all.sort_by_key(|alert| alert.due.as_ref().map_or(i64::MAX, |due| due.at_ms));
    let (to_answer, waiting) = all.into_iter().partition(|alert| alert.is_ours);
    Ok(Inbox { frame: room.frame(visit, Place::Inbox), pulse: beat(&answer), now_ms, to_answer, waiting })
}

/// `GET /pulse`: whether the inbox is as a page shows it; asked by the page, and no sign that anybody is there.
pub(super) async fn pulse(State(room): State<Arc<Room>>, _: Visit) -> Response {
    match look(&room.desk).await {
        Ok(beat) => axum::Json(json!({ "pulse": beat })).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn look(desk: &Desk) -> Result<String, Trouble> {
    Ok(beat(&desk.get("/v1/alerts").await?))
}

/// Changes when an alert comes, goes or changes its state.
fn beat(answer: &Value) -> String {
    let told: String = each(answer, "alerts")
        .map(|alert| format!("{} {}\n", text(alert, "alert_id"), text(alert, "state")))
        .collect();
    Digest::of(told.as_bytes()).to_string()
}
