//! The embedded store: one SQLite file, one thread that writes, two that read.
//!
//! Not here: statements (`read`, `write`) and the file's checks (`open`). Invariant: no caller's thread
//! ever waits for the disk; it awaits an answer, and dropping the store works off what was taken in.

mod column;
mod ledger;
mod migrations;
mod open;
mod queue;
mod read;
mod reader;
mod seal;
mod subjects;
#[cfg(test)]
mod tests;
mod write;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use puente_core::authority::{ActRow, DeterminationRow};
use puente_core::cases::TransferRow;
use puente_core::catalogue::Lane;
use puente_core::delivery::{
    ApprovalRow, CommitId, Committed, ConsentEventRow, ConsentRow, DeadLetterRow, DecisionRow, DisclosureRow,
    Event, HistoryEntry, IdempotentAnswer, MessageRow, NoticeRow, PolicyChangeRow, QueueDepth, Queued,
    ReceiptRow, RestrictionRow, RetentionStep, StatementRow, SubjectTag, SuspensionRow, WebhookRow,
    WithdrawalRow, Write,
};
use puente_core::duty::{Summons, WatchRow};
use puente_core::ids::{
    AgencyId, ApprovalId, ConsentId, CountryCode, Digest, HoldId, MessageId, OperationId, ReleaseId, Role,
    StopId, WebhookId,
};
use puente_core::protection::{HoldRow, StopRow};
use tokio::sync::oneshot;

use super::error::{OpenError, StoreError};
use super::key::StoreKey;
use super::query::{
    ActFilter, ApprovalFilter, ChunkOwner, ChunkPlace, Coming, ComingFilter, DeadLetterFilter,
    DeterminationFilter, Disclosed, DueErasures, KnownInbound, MAX_PAGE, MessageFilter, NoticeFilter, Past,
    Position, StopFilter, TransferFilter, WatchFilter, Wire,
};
use super::{Answer, CommitObserver, Store, StoreOwner};
use ledger::{Failure, Ledger};
use queue::{Queue, Urgency};
use reader::{ReadQueue, Reader};
use seal::{Sealer, StoreCipher};
pub use subjects::SubjectKeyFile;
use subjects::{Known, agree};
use writer::{CommitJob, Job, SingleJob, WriteQueue, Writer};

/// Reading threads: one may be held by a long listing while the other serves the couriers.
const READERS: usize = 2;

/// A store in one SQLite file; the only one of this process for that file.
pub struct SqliteStore {
    writes: Arc<WriteQueue>,
    reads: Arc<ReadQueue>,
    threads: Vec<JoinHandle<()>>,
    sealer: Arc<Sealer>,
    _tenancy: open::Tenancy,
    /// Last, so that it is dropped after the files are closed and the lock is let go.
    closed: Option<oneshot::Sender<()>>,
}

impl SqliteStore {
    /// Opens the store at `path`, creating it if there is none; afterwards it and the keys of subjects know the same
    /// erasures, whichever of them was restored from an older copy.
    ///
    /// # Errors
    /// `OpenError` says what is wrong: in use, foreign, newer, another key, other subjects' keys, or the medium.
    pub fn open(
        path: &Path,
        owner: &StoreOwner,
        key: &StoreKey,
        subjects: SubjectKeyFile,
        observer: Arc<dyn CommitObserver>,
    ) -> Result<Self, OpenError> {
        let tenancy = open::occupy(path)?;
        let own = StoreCipher::new(key)?;
        let connection = open::writer(path, owner, &own)?;
        agree(&connection, &subjects)?;
        let sealer = Arc::new(Sealer::new(own, subjects.start()?));
        let mut store = Self {
            writes: Arc::new(Queue::new()),
            reads: Arc::new(Queue::new()),
            threads: Vec::with_capacity(READERS + 1),
            sealer: Arc::clone(&sealer),
            _tenancy: tenancy,
            closed: None,
        };
        let writer =
            Writer { connection, sealer: Arc::clone(&sealer), queue: Arc::clone(&store.writes), observer };
        store.spawn("store-writer".to_owned(), move || writer.run())?;
        for number in 1..=READERS {
            let reader = Reader { connection: open::reader(path)?, sealer: Arc::clone(&sealer) };
            let queue = Arc::clone(&store.reads);
            store.spawn(format!("store-reader-{number}"), move || reader.run(&queue))?;
        }
        Ok(store)
    }

    /// Resolves once the store is dropped and closed: then its files may be opened or copied. The latest asker is told.
    pub fn closing(&mut self) -> oneshot::Receiver<()> {
        let (closed, closing) = oneshot::channel();
        self.closed = Some(closed);
        closing
    }

    fn spawn(&mut self, name: String, work: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
        self.threads.push(std::thread::Builder::new().name(name).spawn(work)?);
        Ok(())
    }

    fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(Ledger<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Answer<'_, T> {
        Box::pin(async move {
            let (question, answer) = reader::question(read);
            self.reads.push(Urgency::Routine, 0, question).await?;
            answer.await.map_err(|_| StoreError::Closed)?
        })
    }

    fn change<T: Send + 'static>(
        &self,
        bytes: usize,
        change: impl FnMut(Ledger<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Answer<'_, T> {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            self.write(Urgency::Routine, Box::new(SingleJob { bytes, change, found: None, reply })).await?;
            answer.await.map_err(|_| StoreError::Closed)?
        })
    }

    async fn write(&self, urgency: Urgency, job: Box<dyn Job>) -> Result<(), StoreError> {
        self.writes.push(urgency, job.bytes(), job).await
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // The writer, spawned first, ends last: whoever closes the file last moves the log into it, and a reader may not.
        self.reads.close();
        while let Some(thread) = self.threads.pop() {
            if self.threads.is_empty() {
                self.writes.close();
            }
            if thread.join().is_err() {
                tracing::error!("a store thread had panicked");
            }
        }
    }
}

impl Store for SqliteStore {
    fn commit(&self, id: CommitId, writes: Vec<Write>) -> Answer<'_, Committed> {
        Box::pin(async move {
            // INVARIANT: a key is durable before anything is sealed under it.
            self.sealer.subjects().ensure(write::subjects(&writes)).await?;
            let (reply, answer) = oneshot::channel();
            self.write(CommitJob::urgency(&writes), Box::new(CommitJob { writes, reply })).await?;
            answer.await.map_err(|_| StoreError::Closed)??;
            Ok(Committed::durable(id))
        })
    }

    fn outbound_due(
        &self,
        peer: CountryCode,
        lane: Lane,
        now_ms: i64,
        limit: u32,
    ) -> Answer<'_, Vec<Queued>> {
        self.read(move |ledger| read::outbound_due(ledger, &peer, lane, now_ms, limit))
    }

    fn next_due(&self, peer: CountryCode, lane: Lane) -> Answer<'_, Option<i64>> {
        self.read(move |ledger| read::next_due(ledger, &peer, lane))
    }

    fn expired_queued(
        &self,
        now_ms: i64,
        limit: u32,
    ) -> Answer<'_, Vec<(MessageId, ReleaseId, CountryCode)>> {
        self.read(move |ledger| read::expired_queued(ledger, now_ms, limit))
    }

    fn queue_depth(&self) -> Answer<'_, Vec<QueueDepth>> {
        self.read(read::queue_depth)
    }

    fn message(&self, message: MessageId) -> Answer<'_, Option<MessageRow>> {
        self.read(move |ledger| read::message(ledger, message))
    }

    fn withheld(&self, message: MessageId) -> Answer<'_, Option<Vec<u8>>> {
        self.read(move |ledger| read::withheld(ledger, message))
    }

    fn known_inbound(&self, messages: Vec<MessageId>) -> Answer<'_, Vec<KnownInbound>> {
        self.read(move |ledger| read::known_inbound(ledger, &messages))
    }

    fn history(&self, message: MessageId) -> Answer<'_, Vec<HistoryEntry>> {
        self.read(move |ledger| read::history(ledger, message))
    }

    fn operation(
        &self,
        operation: OperationId,
        after: Option<Position>,
        limit: u32,
        wire: Wire,
    ) -> Answer<'_, Vec<MessageRow>> {
        self.read(move |ledger| read::operation(ledger, operation, after, limit, wire))
    }

    fn coming(&self, filter: ComingFilter, limit: u32) -> Answer<'_, Vec<Coming>> {
        self.read(move |ledger| read::coming(ledger, &filter, limit))
    }

    fn replies(&self, message: MessageId) -> Answer<'_, Vec<MessageRow>> {
        self.read(move |ledger| read::replies(ledger, message))
    }

    fn messages(&self, filter: MessageFilter, limit: u32) -> Answer<'_, Vec<MessageRow>> {
        self.read(move |ledger| read::messages(ledger, &filter, limit))
    }

    fn events(
        &self,
        agency: AgencyId,
        roles: Vec<Role>,
        after: i64,
        limit: u32,
    ) -> Answer<'_, Vec<(i64, Event)>> {
        self.read(move |ledger| read::events(ledger, &agency, &roles, after, limit))
    }

    fn idempotent(&self, agency: AgencyId, key: String) -> Answer<'_, Option<IdempotentAnswer>> {
        self.read(move |ledger| read::idempotent(ledger, &agency, &key))
    }

    fn receipts(&self, message: MessageId) -> Answer<'_, Vec<ReceiptRow>> {
        self.read(move |ledger| read::receipts(ledger, message))
    }

    fn receipts_due(&self, peer: CountryCode, after: i64, limit: u32) -> Answer<'_, Vec<(i64, ReceiptRow)>> {
        self.read(move |ledger| read::receipts_due(ledger, &peer, after, limit))
    }

    fn decision(&self, message: MessageId) -> Answer<'_, Option<DecisionRow>> {
        self.read(move |ledger| read::decision(ledger, message))
    }

    fn decisions(&self, before: Option<i64>, limit: u32) -> Answer<'_, Vec<(i64, DecisionRow)>> {
        self.read(move |ledger| read::decisions(ledger, before, limit))
    }

    fn approvals(&self, filter: ApprovalFilter, limit: u32) -> Answer<'_, Vec<ApprovalRow>> {
        self.read(move |ledger| read::approvals(ledger, &filter, limit))
    }

    fn approval(&self, approval: ApprovalId) -> Answer<'_, Option<(ApprovalRow, Vec<StatementRow>)>> {
        self.read(move |ledger| read::approval(ledger, approval))
    }

    fn approvals_lapsing(&self, now_ms: i64, limit: u32) -> Answer<'_, Vec<ApprovalRow>> {
        self.read(move |ledger| read::approvals_lapsing(ledger, now_ms, limit))
    }

    fn acts(&self, filter: ActFilter, limit: u32) -> Answer<'_, Vec<ActRow>> {
        self.read(move |ledger| read::acts(ledger, &filter, limit))
    }

    fn determinations(&self, filter: DeterminationFilter, limit: u32) -> Answer<'_, Vec<DeterminationRow>> {
        self.read(move |ledger| read::determinations(ledger, &filter, limit))
    }

    fn consent(&self, consent: ConsentId) -> Answer<'_, Option<(ConsentRow, Vec<ConsentEventRow>)>> {
        self.read(move |ledger| read::consent(ledger, consent))
    }

    fn disclosures(
        &self,
        of: Disclosed,
        after: i64,
        limit: u32,
    ) -> Answer<'_, Vec<(i64, DisclosureRow, String)>> {
        self.read(move |ledger| read::disclosures(ledger, &of, after, limit))
    }

    fn notices(&self, filter: NoticeFilter, after: i64, limit: u32) -> Answer<'_, Vec<(i64, NoticeRow)>> {
        self.read(move |ledger| read::notices(ledger, &filter, after, limit))
    }

    fn restrictions(&self, after: Option<MessageId>, limit: u32) -> Answer<'_, Vec<RestrictionRow>> {
        self.read(move |ledger| read::restrictions(ledger, after, limit))
    }

    fn withdrawals(&self, peer: CountryCode, consent: ConsentId) -> Answer<'_, Vec<WithdrawalRow>> {
        self.read(move |ledger| read::withdrawals(ledger, &peer, consent, MAX_PAGE))
    }

    fn received(
        &self,
        peer: CountryCode,
        subject_ref: String,
        after: i64,
        limit: u32,
    ) -> Answer<'_, Vec<(i64, MessageId)>> {
        self.read(move |ledger| read::received(ledger, &peer, &subject_ref, after, limit))
    }

    fn received_about(&self, message: MessageId) -> Answer<'_, Option<String>> {
        self.read(move |ledger| read::received_about(ledger, message))
    }

    fn put_chunk(&self, place: ChunkPlace, bytes: Vec<u8>, quota: u64, now_ms: i64) -> Answer<'_, ()> {
        self.change(bytes.len(), move |ledger| write::put_chunk(ledger, &place, &bytes, quota, now_ms))
    }

    fn suspensions(&self, limit: u32) -> Answer<'_, Vec<SuspensionRow>> {
        self.read(move |ledger| read::suspensions(ledger, limit))
    }

    fn policy_changes(&self, limit: u32) -> Answer<'_, Vec<PolicyChangeRow>> {
        self.read(move |ledger| read::policy_changes(ledger, limit))
    }

    fn policy_change(&self, change: ApprovalId) -> Answer<'_, Option<(PolicyChangeRow, Vec<StatementRow>)>> {
        self.read(move |ledger| read::policy_change(ledger, change))
    }

    fn policy_in_force(&self) -> Answer<'_, Option<PolicyChangeRow>> {
        self.read(read::policy_in_force)
    }

    fn hold(&self, hold: HoldId) -> Answer<'_, Option<HoldRow>> {
        self.read(move |ledger| read::hold(ledger, hold))
    }

    fn holds(&self, after: Option<HoldId>, limit: u32) -> Answer<'_, Vec<HoldRow>> {
        self.read(move |ledger| read::holds(ledger, after, limit))
    }

    fn stop(&self, stop: StopId) -> Answer<'_, Option<StopRow>> {
        self.read(move |ledger| read::stop(ledger, stop))
    }

    fn stops(&self, filter: StopFilter, limit: u32) -> Answer<'_, Vec<StopRow>> {
        self.read(move |ledger| read::stops(ledger, &filter, limit))
    }

    fn stops_alarming(&self, now_ms: i64, limit: u32) -> Answer<'_, Vec<StopRow>> {
        self.read(move |ledger| read::stops_alarming(ledger, now_ms, limit))
    }

    fn watch(&self, message: MessageId) -> Answer<'_, Option<WatchRow>> {
        self.read(move |ledger| read::watch(ledger, message))
    }

    fn case_steps(&self, transfer: MessageId) -> Answer<'_, Vec<MessageRow>> {
        self.read(move |ledger| read::steps(ledger, transfer))
    }

    fn transfers(&self, filter: TransferFilter, limit: u32) -> Answer<'_, Vec<TransferRow>> {
        self.read(move |ledger| read::transfers(ledger, &filter, limit))
    }

    fn watches(&self, filter: WatchFilter, limit: u32) -> Answer<'_, Vec<WatchRow>> {
        self.read(move |ledger| read::watches(ledger, &filter, limit))
    }

    fn watches_due(&self, now_ms: i64, limit: u32) -> Answer<'_, Vec<WatchRow>> {
        self.read(move |ledger| read::watches_due(ledger, now_ms, limit))
    }

    fn summonses(&self, message: MessageId, limit: u32) -> Answer<'_, Vec<Summons>> {
        self.read(move |ledger| read::summonses(ledger, message, limit))
    }

    fn summonses_due(&self, now_ms: i64, limit: u32) -> Answer<'_, Vec<Summons>> {
        self.read(move |ledger| read::summonses_due(ledger, now_ms, limit))
    }

    fn webhook(&self, webhook: WebhookId) -> Answer<'_, Option<WebhookRow>> {
        self.read(move |ledger| read::webhook(ledger, webhook))
    }

    fn webhooks(&self, limit: u32) -> Answer<'_, Vec<WebhookRow>> {
        self.read(move |ledger| read::webhooks(ledger, limit))
    }

    fn dead_letters(
        &self,
        filter: DeadLetterFilter,
        after: i64,
        limit: u32,
    ) -> Answer<'_, Vec<(i64, DeadLetterRow)>> {
        self.read(move |ledger| read::dead_letters(ledger, filter, after, limit))
    }

    fn last_event(&self) -> Answer<'_, i64> {
        self.read(read::last_event)
    }

    fn chunk(&self, place: ChunkPlace) -> Answer<'_, Option<Vec<u8>>> {
        self.read(move |ledger| read::chunk(ledger, &place))
    }

    fn chunk_leaves(&self, owner: ChunkOwner, root: Digest) -> Answer<'_, Vec<(u32, Digest)>> {
        self.read(move |ledger| read::chunk_leaves(ledger, &owner, root))
    }

    fn naming(&self, root: Digest, limit: u32) -> Answer<'_, Vec<MessageRow>> {
        self.read(move |ledger| read::naming(ledger, root, limit))
    }

    fn forget(&self, past: Past) -> Answer<'_, u64> {
        self.change(0, move |ledger| write::forget(ledger, &past))
    }

    fn erase_subject(&self, subject: SubjectTag, at_ms: i64) -> Answer<'_, ()> {
        Box::pin(async move {
            // INVARIANT: the store knows of a destruction before it happens, so that none is half done for ever.
            let key = self.change(0, move |ledger| write::condemn(ledger, subject, at_ms)).await?;
            match key {
                Some(key) => self.sealer.subjects().destroy(key, at_ms).await,
                None => Ok(()),
            }
        })
    }

    fn erasures_due(&self, limit: u32) -> Answer<'_, DueErasures> {
        Box::pin(async move {
            let unsettled = self.read(read::unsettled).await?;
            // One that was begun and then failed is ended here.
            for entry in &unsettled {
                if matches!(self.sealer.subjects().by_id(entry.key)?, Known::Live(_)) {
                    self.sealer.subjects().destroy(entry.key, entry.at_ms).await?;
                }
            }
            self.read(move |ledger| read::erasures_due(ledger, &unsettled, limit)).await
        })
    }

    fn retention_due(&self, now_ms: i64, limit: u32) -> Answer<'_, Vec<(RetentionStep, MessageRow)>> {
        self.read(move |ledger| read::retention_due(ledger, now_ms, limit))
    }
}
