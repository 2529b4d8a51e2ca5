//! The domestic face: the country's own systems and agencies, over mTLS.
//!
//! Not here: the accept loop (`serve`). INVARIANT: every route runs only for an active agency whose
//! certificate the register lists, and answers only what belongs to its roles.

mod accesses;
mod acts;
mod alerts;
mod answers;
mod approvals;
mod attachments;
mod authorities;
mod broadcasts;
mod caller;
mod candidates;
mod cases;
mod catalogue;
mod coming;
mod consents;
mod corrections;
mod determinations;
mod disclosures;
mod handing;
mod holds;
mod idempotency;
mod inbox;
mod messages;
mod notices;
mod openapi;
mod operations;
mod paper;
mod policies;
mod referrals;
mod refusals;
mod releases;
mod sealed;
mod stream;
pub mod submit;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post, put};

use puente_core::problem::{self, Problem};

use crate::node::Node;
use crate::serve::ProblemReply;

pub use approvals::lapse_approvals;
pub use broadcasts::end_broadcasts;
pub use notices::look_after_notices;
pub use releases::release_approved;

/// The routes of the domestic face.
pub fn router(node: &Arc<Node>) -> Router {
    Router::new()
        .route("/v1/messages", post(messages::submit_one))
        .route("/v1/messages/batch", post(messages::submit_batch))
        .route("/v1/messages/dry-run", post(messages::dry_run))
        .route("/v1/messages/{id}", get(messages::status))
        .route("/v1/messages/{id}/content", get(messages::content))
        .route("/v1/messages/{id}/sealed", get(sealed::sealed))
        .route("/v1/messages/{id}/opened", post(sealed::opened))
        .route("/v1/inbox", get(inbox::inbox))
        .route("/v1/events", get(stream::stream))
        .route("/v1/webhooks", get(webhooks::list).post(webhooks::register))
        .route("/v1/webhooks/{id}", delete(webhooks::remove))
        .route("/v1/webhooks/{id}/pause", post(webhooks::pause))
        .route("/v1/webhooks/{id}/resume", post(webhooks::resume))
        .route("/v1/operations", get(coming::list))
        .route("/v1/operations/{id}", get(operations::reconcile))
        .route("/v1/operations/{id}/manifest", post(operations::upload))
        .route("/v1/operations/{id}/print", get(paper::print))
        .route("/v1/operations/{id}/arrivals", get(paper::arrivals))
        .route("/v1/operations/{id}/candidates", post(candidates::candidates))
        .route("/v1/approvals", get(approvals::list))
        .route("/v1/approvals/{id}", get(approvals::show))
        .route("/v1/approvals/{id}/statements", post(approvals::state))
        .route("/v1/broadcasts", post(broadcasts::send))
        .route("/v1/broadcasts/{case}/end", post(broadcasts::end))
        .route("/v1/alerts", get(alerts::list))
        .route("/v1/alerts/{id}", get(alerts::show))
        .route("/v1/alerts/{id}/telephone", post(alerts::telephone))
        .route("/v1/alerts/{id}/action", post(alerts::action))
        .route("/v1/approvals/{id}/authority", post(authorities::speak))
        .route("/v1/acts", get(authorities::list))
        .route("/v1/acts/{id}/withdraw", post(authorities::take_back))
        .route("/v1/determinations", get(determinations::list).post(determinations::make))
        .route("/v1/determinations/{id}/withdraw", post(determinations::take_back))
        .route("/v1/cases", get(cases::list))
        .route("/v1/cases/{case}", get(cases::show))
        .route("/v1/holds", post(holds::place))
        .route("/v1/holds/{id}", get(holds::show))
        .route("/v1/holds/{id}/lift", post(holds::lift))
        .route("/v1/refusals", get(refusals::list))
        .route("/v1/refusals/{id}/answer", post(refusals::answer))
        .route("/v1/referrals", get(referrals::list))
        .route("/v1/referrals/{id}", get(referrals::show))
        .route("/v1/referrals/{id}/review", post(referrals::review))
        .route("/v1/policies", get(policies::list))
        .route("/v1/policies/{id}", get(policies::show))
        .route("/v1/policies/{id}/statements", post(policies::state))
        .route("/v1/attachments/{root}/{index}", put(attachments::put_chunk).get(attachments::chunk))
        .route("/v1/consents", post(consents::add))
        .route("/v1/consents/{id}", get(consents::show))
        .route("/v1/consents/{id}/events", post(consents::event))
        .route("/v1/disclosures", post(disclosures::of_person))
        .route("/v1/notices", get(notices::list).post(notices::tell))
        .route("/v1/accesses", post(accesses::ask))
        .route("/v1/accesses/{id}", get(accesses::answer))
        .route("/v1/messages/{id}/accounting", get(accesses::accounting))
        .route("/v1/messages/{id}/response", post(answers::answer))
        .route("/v1/catalogue", get(catalogue::catalogue))
        .route("/v1/catalogue/labels", get(catalogue::labels))
        .route("/openapi.json", get(openapi::document))
        .fallback(async || ProblemReply(Problem::new(&problem::NOT_FOUND)))
        .method_not_allowed_fallback(async || ProblemReply(Problem::new(&problem::METHOD_NOT_ALLOWED)))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(node), caller::admit))
        .with_state(Arc::clone(node))
}
