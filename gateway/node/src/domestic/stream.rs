//! The stream: what the inbox shows, as it happens (server-sent events, WHATWG HTML section 9.2).
//!
//! Not here: long-poll (`inbox`). INVARIANT: whoever reads it is admitted anew before every page, with the roles held by
//! then; a stream keeps one page in memory at most, and ends with its reader, its connection or the node.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, header};
use hyper::body::Frame;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use puente_core::delivery::{CloudEvent, Event};
use puente_core::ids::{AgencyId, Role};
use puente_core::problem::{self, Problem};

use crate::keys::pki::PeerCertificate;
use crate::node::Node;
use crate::register::KnownAgency;
use crate::serve::{self, Ending, ProblemReply, Seat};

/// A comment goes out after this much silence, so that nobody on the way takes the stream for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Between two looks at whether the reader is still admitted.
const LOOK: Duration = Duration::from_secs(1);

/// A reader that takes nothing for this long is gone.
const STALLED: Duration = Duration::from_secs(30);

/// Events in one page: some 40 KiB.
const PAGE: u32 = 100;

/// Longest `Last-Event-ID`: a cursor has 19 digits.
const MAX_CURSOR: usize = 20;

/// Query of the stream.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamAsk {
    /// Events after this cursor; `Last-Event-ID` wins over it.
    #[serde(default)]
    after: i64,
}

/// `GET /v1/events`: events after a cursor, and every later one as it happens.
pub async fn stream(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Extension(certificate): Extension<PeerCertificate>,
    Extension(ending): Extension<Ending>,
    headers: HeaderMap,
    ask: serve::Ask<StreamAsk>,
) -> Result<Response, ProblemReply> {
    let asked = serve::asked(ask)?;
    let after = last_seen(&headers)?.unwrap_or(asked.after);
    let seat = node.streams.take(caller.agency.as_str());
    let seat = seat.ok_or_else(|| Problem::new(&problem::EVENT_STREAMS))?;
    // One page on its way: a slow reader makes the next look at the store wait.
    let (out, pages) = mpsc::channel(1);
    let follower = Follower { node, agency: caller.agency, certificate, ending, after, out, _seat: seat };
    tokio::spawn(follower.run());
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::new(Pages(pages))).into_response())
}

/// The cursor that a reconnecting client names.
fn last_seen(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(named) = headers.get("last-event-id") else { return Ok(None) };
    let cursor =
        named.to_str().ok().filter(|text| text.len() <= MAX_CURSOR).and_then(|text| text.parse().ok());
    cursor.map(Some).ok_or_else(|| Problem::new(&problem::FIELD_INVALID).at("Last-Event-ID"))
}

/// The body: pages as they are made.
struct Pages(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Pages {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|page| page.map(|page| Ok(Frame::data(page))))
    }
}

/// Makes the pages of one stream.
struct Follower {
    node: Arc<Node>,
    agency: AgencyId,
    certificate: PeerCertificate,
    ending: Ending,
    after: i64,
    out: mpsc::Sender<Bytes>,
    _seat: Seat,
}

impl Follower {
    async fn run(mut self) {
        let mut changed = self.node.watch_events();
        let mut beat = Instant::now();
        while let Some(roles) = self.roles() {
            changed.mark_unchanged();
            let events = self.node.store.events(self.agency.clone(), roles, self.after, PAGE).await;
            let Ok(events) = events else { return };
            if let Some((last, _)) = events.last() {
                self.after = *last;
                let page =
                    events.into_iter().map(|(cursor, event)| self.frame(cursor, event)).collect::<String>();
                beat = Instant::now() + HEARTBEAT;
                if self.send(page).await { continue } else { return }
            }
            if Instant::now() >= beat {
                beat = Instant::now() + HEARTBEAT;
                if !self.send(":\n\n".to_owned()).await {
                    return;
                }
            }
            tokio::select! {
                _ = changed.changed() => {}
                () = sleep(LOOK) => {}
                () = self.ending.reached() => return,
                () = self.out.closed() => return,
            }
        }
    }

    /// The roles that the certificate's agency holds by now; `None` when it is let in no more or the end has come.
    fn roles(&self) -> Option<Vec<Role>> {
        let valid = self.certificate.not_after.as_second() > self.node.clock.now_s();
        let admitted = self.node.register.get().admit(&self.agency, &self.certificate.spki).ok()?;
        (valid && !self.ending.is_reached()).then_some(admitted.roles)
    }

    fn frame(&self, cursor: i64, event: Event) -> String {
        let event = CloudEvent::of(self.node.realm(), self.node.country(), cursor, event);
        // JSON holds no line break, so one `data` line is the whole event.
        serde_json::to_string(&event)
            .map(|data| format!("id: {cursor}\ndata: {data}\n\n"))
            .unwrap_or_default()
    }

    /// Whether the reader has room for the page, or had soon enough.
    async fn send(&mut self, page: String) -> bool {
        tokio::select! {
            sent = timeout(STALLED, self.out.send(page.into())) => matches!(sent, Ok(Ok(()))),
            () = self.ending.reached() => false,
        }
    }
}
