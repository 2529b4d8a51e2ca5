//! Signing in with the code from the terminal, and signing out.
//!
//! Not here: what a code or a session is (`door`).

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;

use crate::serve::read_body;

use super::Room;
use super::door::Visit;
use super::page::{asked_language, cookie_name, form, rendered};
use super::words::{Language, Words};

/// A code and a language.
const MAX_BYTES: usize = 1024;
/// The form arrives at once.
const SECONDS: u64 = 10;

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    words: &'static Words,
    wrong: bool,
    ended: bool,
}

/// `GET /login`.
pub(super) async fn ask(RawQuery(query): RawQuery) -> Response {
    let words = asked_language(query.as_deref()).unwrap_or_default().words();
    let ended = query.as_deref().is_some_and(|query| query.split('&').any(|part| part == "ended"));
    rendered(StatusCode::OK, &Login { words, wrong: false, ended })
}

#[derive(Deserialize)]
struct Typed {
    code: String,
    #[serde(default)]
    lang: Language,
}

/// `POST /login`.
pub(super) async fn enter(State(room): State<Arc<Room>>, body: Body) -> Response {
    let bytes = read_body(body, MAX_BYTES, SECONDS).await.unwrap_or_default();
    let typed: Option<Typed> = serde_urlencoded::from_bytes(&bytes).ok();
    let language = typed.as_ref().map(|typed| typed.lang).unwrap_or_default();
    let token = typed.and_then(|typed| room.door.enter(&typed.code, language));
    let cookie = token.and_then(|token| cookie(&room, &token));
    let Some(cookie) = cookie else {
        let page = Login { words: language.words(), wrong: true, ended: false };
        return rendered(StatusCode::FORBIDDEN, &page);
    };
    let mut response = Redirect::to("/alerts").into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

/// Without a life of its own: it ends with the browser, and before with the session.
fn cookie(room: &Room, token: &str) -> Option<HeaderValue> {
    let secure = if room.address.is_secure() { "; Secure" } else { "" };
    let cookie = format!("{}={token}; Path=/; HttpOnly; SameSite=Strict{secure}", cookie_name(room));
    HeaderValue::try_from(cookie).ok()
}

#[derive(Deserialize)]
struct Nothing {}

/// `POST /logout`.
pub(super) async fn leave(State(room): State<Arc<Room>>, visit: Visit, body: Body) -> Response {
    if let Err(trouble) = form::<Nothing>(&visit, body).await {
        return room.next(&visit, "/alerts", Err(trouble));
    }
    room.door.leave(&visit);
    Redirect::to("/login?ended").into_response()
}
