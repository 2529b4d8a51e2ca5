//! A page: what is around its content, what it says first, how it is answered; and the form that comes back from it.
//!
//! Not here: what a screen shows. INVARIANT: every value reaches a page through a template, which escapes it; what a form did
//! is told on the next page, so that going back repeats nothing.

use askama::Template;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

use puente_core::ids::Realm;

use crate::serve::read_body;

use super::Room;
use super::door::{Use, Visit};
use super::reach::Trouble;
use super::words::{Language, Words};

/// A form of ours is a few hundred bytes.
const MAX_FORM_BYTES: usize = 16 * 1024;
/// And arrives at once.
const FORM_SECONDS: u64 = 10;

/// The path at which the page looks by itself whether the inbox has changed.
pub(super) const PULSE: &str = "/pulse";

/// What a page says first.
#[derive(Clone)]
pub(super) enum Said {
    /// Something was done.
    Done(fn(&Words) -> &'static str),
    /// Something was not.
    Failed(Trouble),
}

/// A message on top of a page.
pub(super) struct Message {
    /// Whether it was done.
    pub(super) done: bool,
    /// What is said.
    pub(super) text: String,
    /// The stable code of a problem, or the id of a rule.
    pub(super) code: Option<String>,
}

impl Message {
    fn of(said: Said, language: Language) -> Self {
        match said {
            Said::Done(phrase) => Self { done: true, text: phrase(language.words()).to_owned(), code: None },
            Said::Failed(trouble) => {
                let (text, code) = trouble.told(language);
                Self { done: false, text, code }
            }
        }
    }
}

impl Trouble {
    /// In words, with the code when it has one.
    pub(super) fn told(&self, language: Language) -> (String, Option<String>) {
        let words = language.words();
        let plain = |text: &str| (text.to_owned(), None);
        match self {
            Self::Refused { code, es, en, field } => {
                let code = field.as_ref().map_or_else(|| code.clone(), |field| format!("{code} {field}"));
                (language.of(es, en).to_owned(), Some(code))
            }
            Self::Held { rule } | Self::Stopped { rule } => {
                let held = matches!(self, Self::Held { .. });
                let lead = if held { words.held_instead } else { words.refused_instead };
                let why = rule.as_ref().map(|rule| language.of(&rule.es, &rule.en)).unwrap_or_default();
                (format!("{lead} {why}").trim_end().to_owned(), rule.as_ref().map(|rule| rule.id.clone()))
            }
            Self::Unreachable => plain(words.unreachable),
            Self::Unreadable => plain(words.unreadable),
            Self::Form => plain(words.form_invalid),
            Self::Stale => plain(words.form_stale),
            Self::NotHere => plain(words.not_here),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Unreachable | Self::Unreadable => StatusCode::BAD_GATEWAY,
            Self::NotHere => StatusCode::NOT_FOUND,
            Self::Refused { code, .. } if code == "not_found" => StatusCode::NOT_FOUND,
            _ => StatusCode::CONFLICT,
        }
    }
}

/// A section of the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The protection inbox.
    Inbox,
    /// Held rows.
    Approvals,
    /// Return operations.
    Reception,
    /// None of them.
    Nowhere,
}

/// What stands around the content of a page.
pub(super) struct Frame {
    /// Phrases.
    pub(super) words: &'static Words,
    /// What forms carry.
    pub(super) mark: String,
    /// Officer, agency and country.
    pub(super) who: String,
    /// Whether no person is real.
    pub(super) training: bool,
    /// Where the page belongs.
    pub(super) place: Place,
    /// What it says first.
    pub(super) message: Option<Message>,
}

impl Room {
    /// The frame of a page of this visit.
    pub(super) fn frame(&self, visit: &Visit, place: Place) -> Frame {
        let officer = &self.desk.officer;
        Frame {
            words: visit.language.words(),
            mark: visit.mark.clone(),
            who: format!("{} · {} · {}", officer.officer, officer.agency, officer.country),
            training: officer.realm != Realm::Production,
            place,
            message: self.door.told(visit).map(|said| Message::of(said, visit.language)),
        }
    }

    /// The page, or one that says why it cannot be shown.
    pub(super) fn show<T: Template>(
        &self,
        visit: &Visit,
        place: Place,
        page: Result<T, Trouble>,
    ) -> Response {
        match page {
            Ok(page) => rendered(StatusCode::OK, &page),
            Err(trouble) => {
                let mut frame = self.frame(visit, place);
                frame.message = Some(Message::of(Said::Failed(trouble.clone()), visit.language));
                rendered(trouble.status(), &TroublePage { frame })
            }
        }
    }

    /// To a page that says first what came of a form.
    pub(super) fn next(
        &self,
        visit: &Visit,
        page: &str,
        done: Result<fn(&Words) -> &'static str, Trouble>,
    ) -> Response {
        self.door.tell(visit, done.map_or_else(Said::Failed, Said::Done));
        Redirect::to(page).into_response()
    }
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage {
    frame: Frame,
}

/// A template as an answer.
pub(super) fn rendered<T: Template>(status: StatusCode, page: &T) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page was not rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What a form says, once it is known to be of this visit.
pub(super) async fn form<T: DeserializeOwned>(visit: &Visit, body: Body) -> Result<T, Trouble> {
    #[derive(Deserialize)]
    struct Marked {
        mark: String,
    }
    let bytes = read_body(body, MAX_FORM_BYTES, FORM_SECONDS).await.map_err(|_| Trouble::Form)?;
    let Marked { mark } = serde_urlencoded::from_bytes(&bytes).map_err(|_| Trouble::Stale)?;
    if !visit.marked(&mark) {
        return Err(Trouble::Stale);
    }
    serde_urlencoded::from_bytes(&bytes).map_err(|_| Trouble::Form)
}

/// Name of the cookie; with the port, so that two desks on one machine do not take each other's.
pub(super) fn cookie_name(room: &Room) -> String {
    format!("puente-desk-{}", room.port)
}

fn token<'h>(room: &Room, headers: &'h HeaderMap) -> Option<&'h str> {
    let name = cookie_name(room);
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(own, token)| (own == name).then_some(token))
}

/// The language that a request asks for, as `?lang=en`.
pub(super) fn asked_language(query: Option<&str>) -> Option<Language> {
    match query?.split('&').find_map(|pair| pair.strip_prefix("lang="))? {
        "es" => Some(Language::Es),
        "en" => Some(Language::En),
        _ => None,
    }
}

impl FromRequestParts<Arc<Room>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, room: &Arc<Room>) -> Result<Self, Response> {
        let by_page = parts.uri.path() == PULSE;
        let used = if by_page { Use::ByPage } else { Use::ByPerson };
        let language = asked_language(parts.uri.query());
        let visit = token(room, &parts.headers).and_then(|token| room.door.visit(token, used, language));
        visit.ok_or_else(|| {
            if by_page {
                StatusCode::UNAUTHORIZED.into_response()
            } else {
                Redirect::to("/login").into_response()
            }
        })
    }
}
