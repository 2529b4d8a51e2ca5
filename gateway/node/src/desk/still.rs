//! What is the same for everybody: the style sheet, the script that counts clocks, the icon; and the page that is not there.
//!
//! Not here: anything about a person.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header;

use super::Room;
use super::door::Visit;
use super::page::{Frame, Place};
use super::reach::Trouble;

const STYLE: &str = include_str!("pages/desk.css");
const SCRIPT: &str = include_str!("pages/clock.js");
const ICON: &str = include_str!("pages/icon.svg");

/// Their routes.
pub(super) fn router() -> Router<Arc<Room>> {
    let file = |media_type: &'static str, text: &'static str| {
        get(move || async move { ([(header::CONTENT_TYPE, media_type)], text) })
    };
    Router::new()
        .route("/desk.css", file("text/css; charset=utf-8", STYLE))
        .route("/clock.js", file("text/javascript; charset=utf-8", SCRIPT))
        .route("/icon.svg", file("image/svg+xml", ICON))
}

#[derive(askama::Template)]
#[template(path = "trouble.html")]
struct NotHere {
    frame: Frame,
}

/// What is asked for and is not there.
pub(super) async fn nowhere(State(room): State<Arc<Room>>, visit: Visit) -> Response {
    room.show(&visit, Place::Nowhere, Err::<NotHere, _>(Trouble::NotHere)).into_response()
}
