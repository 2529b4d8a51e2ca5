//! The operations that people are coming with: today and the next 72 hours first.
//!
//! Not here: the list of one (`reception`). INVARIANT: hour and place are those of the notice that the other country sent, at the
//! port's own zone.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::Room;
use super::clock::hour;
use super::door::Visit;
use super::labels::Labels;
use super::opening::{Opened, content};
use super::page::{Frame, Place};
use super::reach::{Trouble, each, number, text};
use super::words::Language;

const HOUR_MS: i64 = 3_600_000;
/// Since when an arrival still counts as of today.
const BEFORE_MS: i64 = 24 * HOUR_MS;
/// How far ahead the first list looks.
const AHEAD_MS: i64 = 72 * HOUR_MS;

/// How an operation travels, as its notice or a row of it says.
pub(super) struct Journey {
    /// Hour of arrival at the port, with its zone.
    pub(super) arrives: String,
    /// The same instant.
    eta_ms: i64,
    /// Port and mode.
    pub(super) place: String,
    /// Zone of the port.
    pub(super) zone: TimeZone,
    /// The zone's name.
    pub(super) zone_name: String,
    /// People announced, where it is a notice.
    pub(super) total: Option<i64>,
}

impl Journey {
    /// Of an opened notice or row.
    pub(super) fn of(opened: &Opened, labels: &Labels, language: Language) -> Option<Self> {
        let logistics = opened.sections.get("return.logistics")?;
        let zone_name = text(logistics, "zone").to_owned();
        let zone = TimeZone::get(&zone_name).unwrap_or(TimeZone::UTC);
        let eta_ms = text(logistics, "eta").parse::<Timestamp>().ok()?.as_millisecond();
        let mode = labels.value("return.logistics/mode", logistics.get("mode")?, language);
        let vehicle = text(logistics, "vehicle");
        let parts = [text(logistics, "port_of_entry"), mode.as_str(), vehicle];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Some(Self {
            arrives: hour(eta_ms, &zone),
            eta_ms,
            place: parts.join(" · "),
            zone,
            zone_name,
            total: opened.at("stats.aggregate", "total").and_then(Value::as_i64),
        })
    }
}

struct Coming {
    id: String,
    from: String,
    rows: i64,
    journey: Option<Journey>,
    /// Whole hours between the first news and the arrival.
    notice_hours: Option<i64>,
}

#[derive(Template)]
#[template(path = "operations.html")]
struct Operations {
    frame: Frame,
    lists: Vec<(&'static str, &'static str, Vec<Coming>)>,
    nothing: bool,
}

/// `GET /operations`.
pub(super) async fn list(State(room): State<Arc<Room>>, visit: Visit) -> Response {
    let page = operations(&room, &visit).await;
    room.show(&visit, Place::Reception, page)
}

async fn operations(room: &Room, visit: &Visit) -> Result<Operations, Trouble> {
    let (desk, language) = (&room.desk, visit.language);
    let labels = desk.labels().await?;
    let answer = desk.get("/v1/operations").await?;
    let mut all = Vec::new();
    for operation in each(&answer, "operations") {
        let known =
            ["notice_id", "row_id"].into_iter().map(|name| text(operation, name)).find(|id| !id.is_empty());
        // One that does not open is listed all the same: somebody is on that bus.
        let opened = match known {
            Some(id) => content(desk, id).await.ok(),
            None => None,
        };
        let journey = opened.and_then(|opened| Journey::of(&opened, &labels, language));
        let first_ms = number(operation, "first_ms");
        all.push(Coming {
            id: text(operation, "operation").to_owned(),
            from: labels.country(text(operation, "from"), language),
            rows: number(operation, "rows").unwrap_or_default(),
            notice_hours: journey
                .as_ref()
                .zip(first_ms)
                .map(|(journey, first)| (journey.eta_ms - first).div_euclid(HOUR_MS)),
            journey,
        });
    }
    all.sort_by_key(|coming| coming.journey.as_ref().map_or(i64::MAX, |journey| journey.eta_ms));
    let now_ms = desk.now_ms();
    let is_soon = |coming: &Coming| {
        let journey = coming.journey.as_ref();
        journey.is_some_and(|journey| (now_ms - BEFORE_MS..=now_ms + AHEAD_MS).contains(&journey.eta_ms))
    };
    let nothing = all.is_empty();
    let (soon, others) = all.into_iter().partition(is_soon);
    let words = language.words();
    let lists = vec![("soon", words.operations, soon), ("others", words.operations_others, others)];
    Ok(Operations { frame: room.frame(visit, Place::Reception), lists, nothing })
}
