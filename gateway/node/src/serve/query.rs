//! Reading the query of a request.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;

use puente_core::problem::{self, Problem};

/// A query as a handler takes it, so that one of another form is answered as a problem.
pub type Ask<T> = Result<Query<T>, QueryRejection>;

/// What was asked.
///
/// # Errors
/// `field.invalid` at `query`; never what stood there, for it may name a person.
pub fn asked<T>(ask: Ask<T>) -> Result<T, Problem> {
    ask.map(|Query(asked)| asked).map_err(|_| Problem::new(&problem::FIELD_INVALID).at("query"))
}
