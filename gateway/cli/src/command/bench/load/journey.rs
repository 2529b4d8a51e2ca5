//! What became of every row, from its submission to its receipt.
//!
//! INVARIANT: a row is settled once; the window has room again for each row that is settled or that stayed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use uuid::Uuid;

use super::LoadReport;
use crate::command::bench::latency::Percentiles;

/// All rows of one load.
pub struct Journeys {
    window: Semaphore,
    book: Mutex<Book>,
    settled: watch::Sender<usize>,
}

#[derive(Default)]
struct Book {
    /// Left, not yet receipted: when it was submitted.
    under_way: HashMap<Uuid, Instant>,
    /// Receipted before the answer to its submission was read.
    early: HashMap<Uuid, Instant>,
    times: Vec<Duration>,
    last: Option<Instant>,
    redacted: usize,
    stayed: usize,
    refused: usize,
    repeated: usize,
}

impl Journeys {
    /// None yet; the window bounds how many are under way at once.
    pub fn new(window: Semaphore) -> Self {
        Self { window, book: Mutex::default(), settled: watch::Sender::new(0) }
    }

    /// Waits until the window has room for this many rows.
    pub async fn enter(&self, rows: usize) -> anyhow::Result<()> {
        let rows = u32::try_from(rows).context("too many rows in one batch")?;
        self.window.acquire_many(rows).await?.forget();
        Ok(())
    }

    /// A row left under this id.
    pub fn left(&self, id: Uuid, submitted: Instant, redacted: bool) {
        let mut book = self.book();
        book.redacted += usize::from(redacted);
        match book.early.remove(&id) {
            Some(receipted) => self.settle(book, receipted.saturating_duration_since(submitted), receipted),
            None => {
                book.under_way.insert(id, submitted);
            }
        }
    }

    /// A row was held, refused or malformed.
    pub fn stayed(&self) {
        self.book().stayed += 1;
        self.window.add_permits(1);
    }

    /// A request had to be repeated.
    pub fn repeated(&self) {
        self.book().repeated += 1;
    }

    /// The peer's receipt for a row is committed.
    pub fn receipted(&self, id: Uuid, accepted: bool) {
        let now = Instant::now();
        let mut book = self.book();
        book.refused += usize::from(!accepted);
        match book.under_way.remove(&id) {
            Some(submitted) => self.settle(book, now.saturating_duration_since(submitted), now),
            None => {
                book.early.insert(id, now);
            }
        }
    }

    fn settle(&self, mut book: MutexGuard<'_, Book>, took: Duration, at: Instant) {
        book.times.push(took);
        book.last = book.last.max(Some(at));
        let count = book.times.len();
        drop(book);
        self.window.add_permits(1);
        self.settled.send_replace(count);
    }

    /// Waits until every row that left is receipted.
    ///
    /// # Errors
    /// When none was for `silence`, or the peer refused one.
    pub async fn all_settled(&self, silence: Duration) -> anyhow::Result<()> {
        let mut settled = self.settled.subscribe();
        loop {
            let under_way = self.book().under_way.len();
            if under_way == 0 {
                break;
            }
            if tokio::time::timeout(silence, settled.changed()).await.is_err() {
                bail!("{under_way} rows have no receipt after {} s of silence", silence.as_secs());
            }
        }
        let refused = self.book().refused;
        if refused > 0 { bail!("the peer refused {refused} rows") } else { Ok(()) }
    }

    /// When the last row was settled; now, if none was.
    pub fn last_settled(&self) -> Instant {
        self.book().last.unwrap_or_else(Instant::now)
    }

    /// The figures of the whole load.
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are small")]
    pub fn report(&self, elapsed: Duration, client_cpu: Duration) -> LoadReport {
        let mut book = self.book();
        let times = std::mem::take(&mut book.times);
        LoadReport {
            receipted: times.len(),
            redacted: book.redacted,
            stayed: book.stayed,
            repeated: book.repeated,
            elapsed_s: elapsed.as_secs_f64(),
            client_cpu_us: client_cpu.as_secs_f64() * 1e6 / times.len().max(1) as f64,
            end_to_end: Percentiles::of(times),
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn journeys(window: usize) -> Journeys {
        Journeys::new(Semaphore::new(window))
    }

    #[tokio::test]
    async fn a_receipt_that_is_read_before_the_verdict_still_settles_its_row() {
        let journeys = journeys(1);
        journeys.enter(1).await.unwrap();
        let begun = Instant::now();
        journeys.receipted(Uuid::from_u128(1), true);
        journeys.left(Uuid::from_u128(1), begun, false);
        journeys.all_settled(Duration::from_secs(1)).await.unwrap();
        journeys.enter(1).await.unwrap();
        assert_eq!(journeys.report(Duration::ZERO, Duration::ZERO).receipted, 1);
    }

    #[tokio::test]
    async fn a_row_that_the_peer_refuses_fails_the_load() {
        let journeys = journeys(1);
        journeys.left(Uuid::from_u128(1), Instant::now(), false);
        journeys.receipted(Uuid::from_u128(1), false);
        assert!(journeys.all_settled(Duration::from_secs(1)).await.is_err());
    }
}
