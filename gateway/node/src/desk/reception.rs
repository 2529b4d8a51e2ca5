//! The list of one operation at the door: who comes, what they need, who travels together, and what became of each.
//!
//! Not here: sending the arrival (`arrival`). INVARIANT: a row that does not open stands on the list all the same, and what
//! changed after the list came is said on the row.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::civil::Date;
use serde_json::{Map, Value};
use tokio::task::JoinSet;

use puente_core::ids::OperationId;

use super::Room;
use super::alert::age_in;
use super::arrival::Status;
use super::clock::hour;
use super::door::Visit;
use super::labels::Labels;
use super::opening::{Opened, content};
use super::operations::Journey;
use super::page::{Frame, Place};
use super::reach::{Trouble, each, number, text};
use super::words::{Language, Words};

/// Contents opened at once: enough to keep a node busy, few enough to leave it room.
const AT_ONCE: usize = 16;

/// What was recorded of a row.
struct Reported {
    status: &'static str,
    class: &'static str,
    at: String,
}

/// One person; without `Debug`, for it is content.
struct Person {
    id: String,
    number: usize,
    name: String,
    particulars: String,
    needs: Vec<String>,
    missing: Vec<&'static str>,
    hidden: bool,
    child_protection: bool,
    corrected: Option<String>,
    taken_off: bool,
    illegible: bool,
    reported: Option<Reported>,
}

/// Those who travel together, or one alone.
struct Block {
    family: bool,
    people: Vec<Person>,
}

#[derive(Template)]
#[template(path = "reception.html")]
struct Reception {
    frame: Frame,
    id: OperationId,
    journey: Option<Journey>,
    blocks: Vec<Block>,
    total: usize,
    done: usize,
}

/// `GET /operations/{id}`.
pub(super) async fn show(
    State(room): State<Arc<Room>>,
    visit: Visit,
    Path(id): Path<OperationId>,
) -> Response {
    let page = reception(&room, &visit, id).await;
    room.show(&visit, Place::Reception, page)
}

async fn reception(room: &Arc<Room>, visit: &Visit, id: OperationId) -> Result<Reception, Trouble> {
    let labels = room.desk.labels().await?;
    let language = visit.language;
    let answer = room.desk.get(&format!("/v1/operations/{id}")).await?;
    let listed: Vec<&Value> = each(&answer, "messages").filter(|message| is_row(message)).collect();
    let opened = open_all(room, listed.iter().map(|row| text(row, "message_id").to_owned())).await;
    let journey = opened.iter().flatten().find_map(|opened| Journey::of(opened, &labels, language));
    let view =
        View { room, labels: &labels, language, today: today(room, journey.as_ref()), answer: &answer };
    let mut blocks: Vec<Block> = Vec::new();
    let mut families: BTreeMap<String, usize> = BTreeMap::new();
    for ((place, row), opened) in (1..).zip(&listed).zip(&opened) {
        let (person, group) = view.person(place, row, opened.as_ref());
        match group.as_ref().and_then(|group| families.get(group)).and_then(|at| blocks.get_mut(*at)) {
            Some(block) => {
                block.family = true;
                block.people.push(person);
            }
            None => {
                families.extend(group.map(|group| (group, blocks.len())));
                blocks.push(Block { family: false, people: vec![person] });
            }
        }
    }
    let people = || blocks.iter().flat_map(|block| &block.people);
    let (total, done) = (people().count(), people().filter(|person| person.reported.is_some()).count());
    Ok(Reception { frame: room.frame(visit, Place::Reception), id, journey, blocks, total, done })
}

fn today(room: &Room, journey: Option<&Journey>) -> Date {
    let now = room.desk.now();
    journey.map_or_else(|| now.date(), |journey| now.with_time_zone(journey.zone.clone()).date())
}

/// A row of the list as it came, or one that was added to it.
pub(super) fn is_row(message: &Value) -> bool {
    let came = text(message, "direction") == "in" && text(message, "state") == "accepted";
    let added = text(message, "type") == "return.manifest.amend"
        && message.get("corrected").is_some_and(Value::is_object);
    came && (text(message, "type") == "return.manifest" || added)
}

/// The contents in the order of their ids; nothing where one does not open.
async fn open_all(room: &Arc<Room>, ids: impl Iterator<Item = String>) -> Vec<Option<Opened>> {
    let ids: Vec<String> = ids.collect();
    let mut opened: Vec<Option<Opened>> = ids.iter().map(|_| None).collect();
    let mut waiting = ids.into_iter().enumerate();
    let mut opening = JoinSet::new();
    loop {
        while opening.len() < AT_ONCE {
            let Some((place, id)) = waiting.next() else { break };
            let room = Arc::clone(room);
            opening.spawn(async move { (place, content(&room.desk, &id).await.ok()) });
        }
        let Some(read) = opening.join_next().await else { return opened };
        if let Ok((place, Some(read))) = read
            && let Some(slot) = opened.get_mut(place)
        {
            *slot = Some(read);
        }
    }
}

struct View<'v> {
    room: &'v Room,
    labels: &'v Labels,
    language: Language,
    today: Date,
    answer: &'v Value,
}

impl View<'_> {
    /// A person as the row stands by now, and the family they travel with.
    fn person(&self, number: usize, row: &Value, opened: Option<&Opened>) -> (Person, Option<String>) {
        let words = self.language.words();
        let corrected = row.get("corrected").filter(|corrected| corrected.is_object());
        let by_now = corrected.and_then(|corrected| corrected.get("sections")).and_then(Value::as_object);
        let none = Map::new();
        let sections = by_now.or_else(|| opened.map(|opened| &opened.sections)).unwrap_or(&none);
        let illegible = by_now.is_none() && opened.is_none();
        let core = sections.get("id.core");
        let name = core.map(name_of).unwrap_or_default();
        let id = text(row, "message_id").to_owned();
        let person = Person {
            number,
            particulars: self.particulars(core),
            needs: self.needs(sections),
            missing: if illegible { Vec::new() } else { missing(sections, &name, words) },
            // A row is never sent without it, so that its absence is the other country's rule. Of any other category
            // nobody can tell, and nobody is meant to.
            hidden: !illegible && core.is_none(),
            child_protection: opened
                .and_then(|opened| opened.header.get("recipient"))
                .is_some_and(|recipient| text(recipient, "role") == "child_protection"),
            corrected: self.corrected_at(row),
            taken_off: corrected.and_then(|corrected| corrected.get("removed")) == Some(&Value::Bool(true)),
            illegible,
            reported: self.reported(&id),
            name,
            id,
        };
        let group = sections.get("family.links").map(|links| text(links, "group"));
        (person, group.filter(|group| !group.is_empty()).map(str::to_owned))
    }

    fn particulars(&self, core: Option<&Value>) -> String {
        let words = self.language.words();
        let Some(core) = core else { return String::new() };
        let said = |name: &str| {
            core.get(name).map(|value| self.labels.value(&format!("id.core/{name}"), value, self.language))
        };
        let age = age_in(core, self.today).map(|age| format!("{age} {}", words.years));
        [age, said("sex"), said("nationalities")].into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    fn needs(&self, sections: &Map<String, Value>) -> Vec<String> {
        let words = self.language.words();
        let codes = sections.get("needs.services").into_iter().flat_map(|needs| each(needs, "codes"));
        let needs =
            codes.filter_map(Value::as_str).map(|code| self.labels.code("needs", code, self.language));
        let language = sections.get("language");
        let interpreted =
            language.and_then(|said| said.get("interpreter_needed")) == Some(&Value::Bool(true));
        let languages = language.and_then(|said| said.get("languages")).filter(|_| interpreted).map(|said| {
            let languages = self.labels.value("language/languages", said, self.language);
            format!("{}: {languages}", words.interpreter)
        });
        let flag = sections.get("protection.flag").and_then(|flag| flag.get("specialised_reception"));
        let flag = (flag == Some(&Value::Bool(true))).then(|| words.specialised.to_owned());
        flag.into_iter().chain(languages).chain(needs).collect()
    }

    /// When the last correction of the row was said; that of a row that was added later is its own news.
    fn corrected_at(&self, row: &Value) -> Option<String> {
        let changes =
            each(row, "corrections").filter_map(|correction| number(correction.get("changed")?, "at"));
        let last = changes.max()?;
        Some(hour(last.saturating_mul(1000), &self.room.desk.zone))
    }

    /// What was recorded of a row: what this desk recorded, or that the agency did it elsewhere.
    fn reported(&self, id: &str) -> Option<Reported> {
        let words = self.language.words();
        if let Some((status, at_ms)) = self.room.desk.arrivals.of(id) {
            let class = if status == Status::Arrived { "calm" } else { "over" };
            return Some(Reported {
                status: status.word(words),
                class,
                at: hour(at_ms, &self.room.desk.zone),
            });
        }
        let ours = |message: &Value| {
            text(message, "direction") == "out"
                && text(message, "type") == "return.arrival"
                && text(message, "in_reply_to") == id
        };
        let elsewhere = each(self.answer, "messages").any(ours);
        elsewhere.then(|| Reported { status: words.recorded_elsewhere, class: "calm", at: String::new() })
    }
}

fn missing(sections: &Map<String, Value>, name: &str, words: &Words) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if let Some(core) = sections.get("id.core") {
        if name.is_empty() {
            missing.push(words.missing_name);
        }
        if core.get("birth_date").is_none() {
            missing.push(words.missing_birth);
        }
    }
    let languages = sections.get("language").and_then(|said| said.get("languages"));
    if languages.and_then(Value::as_array).is_none_or(Vec::is_empty) {
        missing.push(words.missing_language);
    }
    missing
}

fn name_of(core: &Value) -> String {
    let parts = ["first_surname", "second_surname", "given_names"].map(|name| text(core, name));
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
