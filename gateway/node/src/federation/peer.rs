//! Which member is on the other end: certificate, membership, realm; judged at every request.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use puente_core::membership::VerifiedPeer;
use puente_core::problem::{self, Problem};

use crate::keys::pki::{Identity, PeerCertificate};
use crate::node::Node;
use crate::serve::{ProblemCode, ProblemReply};
use crate::telemetry::Face;

/// Lets in members and counts what is refused.
pub async fn admit(State(node): State<Arc<Node>>, mut request: Request, next: Next) -> Response {
    let response = match identify(&node, &request) {
        Ok(peer) => {
            request.extensions_mut().insert(Arc::new(peer));
            next.run(request).await
        }
        Err(problem) => ProblemReply(problem).into_response(),
    };
    if let Some(ProblemCode(code)) = response.extensions().get() {
        node.metrics.rejected(Face::Federation, code);
    }
    response
}

fn identify(node: &Node, request: &Request) -> Result<VerifiedPeer, Problem> {
    let unknown = || Problem::new(&problem::PEER_UNKNOWN);
    let certificate = request.extensions().get::<PeerCertificate>().ok_or_else(unknown)?;
    let Identity::Gateway { realm, country } = &certificate.identity else { return Err(unknown()) };
    if *realm != node.realm() {
        return Err(Problem::new(&problem::REALM_MISMATCH));
    }
    // What the handshake believed may have ended since: a pin taken away, a certificate past its validity.
    let (membership, now) = (node.membership.get(), node.clock.now_s());
    let pins = membership.pins(country).ok_or_else(unknown)?;
    let stands = pins.is_empty() || pins.contains(&certificate.spki);
    if !stands || certificate.not_after.as_second() < now {
        return Err(unknown());
    }
    membership.peer(country, now).ok_or_else(unknown)
}
