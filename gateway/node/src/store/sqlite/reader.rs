//! The threads that read: each with its own read-only connection, one short transaction per question.
//!
//! Not here: what is asked (`read`). Invariant: a reader cannot write, and sees one instant of the store.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::ledger::{Failure, Ledger};
use super::queue::Queue;
use super::seal::Sealer;
use super::writer::Attendance;
use crate::store::error::StoreError;

/// A question, with the way to its asker inside.
pub(super) type Question = Box<dyn FnOnce(&Reader) + Send>;

pub(super) type ReadQueue = Queue<Question>;

pub(super) struct Reader {
    pub(super) connection: Connection,
    pub(super) sealer: Arc<Sealer>,
}

impl Reader {
    /// Answers until the queue is closed and worked off.
    pub(super) fn run(&self, queue: &ReadQueue) {
        let _attendance = Attendance(queue);
        while let Some(ticket) = queue.wait() {
            (ticket.job)(self);
        }
    }

    fn answer<T>(&self, read: impl FnOnce(Ledger<'_>) -> Result<T, Failure>) -> Result<T, StoreError> {
        let transaction = self.connection.unchecked_transaction().map_err(Failure::from)?;
        Ok(read(Ledger { connection: &transaction, sealer: &self.sealer })?)
    }
}

/// A question and where its answer will come.
pub(super) fn question<T: Send + 'static>(
    read: impl FnOnce(Ledger<'_>) -> Result<T, Failure> + Send + 'static,
) -> (Question, oneshot::Receiver<Result<T, StoreError>>) {
    let (reply, answer) = oneshot::channel();
    let question: Question = Box::new(move |reader| {
        // An asker who went away costs nothing more.
        if !reply.is_closed() {
            let _ = reply.send(reader.answer(read));
        }
    });
    (question, answer)
}
