//! Who asks: the agency behind the connection's certificate, looked up at every request so that a
//! revocation takes effect at once.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use puente_core::problem::{self, Problem};

use crate::keys::pki::{Identity, PeerCertificate};
use crate::node::Node;
use crate::register::{KnownAgency, NotAdmitted};
use crate::serve::{ProblemCode, ProblemReply};
use crate::telemetry::Face;

/// Lets in active agencies and counts what is refused.
pub async fn admit(State(node): State<Arc<Node>>, mut request: Request, next: Next) -> Response {
    let response = match identify(&node, &request) {
        Ok(agency) => {
            request.extensions_mut().insert(agency);
            next.run(request).await
        }
        Err(problem) => ProblemReply(problem).into_response(),
    };
    if let Some(ProblemCode(code)) = response.extensions().get() {
        node.metrics.rejected(Face::Domestic, code);
    }
    response
}

fn identify(node: &Node, request: &Request) -> Result<KnownAgency, Problem> {
    let unknown = || Problem::new(&problem::CLIENT_UNKNOWN);
    let certificate = request.extensions().get::<PeerCertificate>().ok_or_else(unknown)?;
    let Identity::Agency { realm, country, agency } = &certificate.identity else { return Err(unknown()) };
    if *realm != node.realm() {
        return Err(Problem::new(&problem::REALM_MISMATCH));
    }
    if country != node.country() {
        return Err(Problem::new(&problem::COUNTRY_MISMATCH));
    }
    if certificate.not_after.as_second() <= node.clock.now_s() {
        return Err(Problem::new(&problem::CLIENT_EXPIRED));
    }
    node.register.get().admit(agency, &certificate.spki).map_err(|refusal| match refusal {
        NotAdmitted::Unknown => unknown(),
        NotAdmitted::Revoked => Problem::new(&problem::CLIENT_REVOKED),
    })
}
