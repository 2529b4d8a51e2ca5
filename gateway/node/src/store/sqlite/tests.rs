//! The store's suite on SQLite, and what only a file can go wrong with.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use puente_core::delivery::EventKind;
use puente_core::ids::Realm;
use rusqlite::Connection;

use super::*;
use crate::store::SubjectsKey;
use crate::store::suite::{self, *};

/// A folder with a store's file, and what the observer was told.
struct Place {
    folder: tempfile::TempDir,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told(Mutex<Vec<(usize, usize)>>);

impl CommitObserver for Told {
    fn committed(&self, commits: usize, writes: usize, _micros: u64) {
        self.0.lock().unwrap().push((commits, writes));
    }
}

fn owner(country: &str, realm: Realm) -> StoreOwner {
    StoreOwner { country: country.parse().unwrap(), realm }
}

fn key() -> StoreKey {
    StoreKey::from_bytes([7; 32])
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), told: Arc::default() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    fn open(&self) -> SqliteStore {
        self.try_open(&owner("MX", Realm::Training), &key()).unwrap()
    }

    fn try_open(&self, owner: &StoreOwner, key: &StoreKey) -> Result<SqliteStore, OpenError> {
        let subjects = self.folder.path().join("subjects.db");
        let subjects = SubjectKeyFile::open(&subjects, owner, &SubjectsKey::from_bytes([9; 32]))?;
        SqliteStore::open(
            &self.path(),
            owner,
            key,
            subjects,
            Arc::clone(&self.told) as Arc<dyn CommitObserver>,
        )
    }

    fn refusal(&self, owner: &StoreOwner, key: &StoreKey) -> OpenError {
        self.try_open(owner, key).err().expect("the store must be refused")
    }
}

macro_rules! on_sqlite {
    ($($family:ident::$case:ident,)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                let place = Place::new();
                suite::$family::$case(&place.open()).await;
            }
        )*
    };
}
for_every_case!(on_sqlite);

#[tokio::test]
async fn what_was_answered_is_there_after_reopening() {
    let place = Place::new();
    let store = place.open();
    put(&store, everything()).await;
    store.put_chunk(chunk_at("INM", b"root", 0), b"MARK-CHUNK".to_vec(), 1 << 20, 1_000).await.unwrap();
    drop(store);

    let store = place.open();
    assert_eq!(store.message(message_id(1)).await, Ok(Some(outbound(1).message)));
    assert_eq!(store.chunk(chunk_at("INM", b"root", 0)).await, Ok(Some(b"MARK-CHUNK".to_vec())));
    assert_eq!(store.queue_depth().await.unwrap().first().unwrap().waiting, 1);
    assert!(store.approval(approval_id(1)).await.unwrap().is_some());
    assert_eq!(*place.told.0.lock().unwrap(), [(1, everything().len()), (1, 1)]);
}

#[tokio::test]
async fn no_marked_text_lies_on_the_disk() {
    let place = Place::new();
    let store = place.open();
    put(&store, everything()).await;
    store.put_chunk(chunk_at("INM", b"root", 0), b"MARK-CHUNK".to_vec(), 1 << 20, 1_000).await.unwrap();
    let clean = |place: &Place| {
        for entry in fs::read_dir(place.folder.path()).unwrap() {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(MARKS.len()).any(|window| window == MARKS));
        }
    };
    assert!(fs::metadata(place.folder.path().join("store.db-wal")).unwrap().len() > 0);
    clean(&place);
    drop(store);
    clean(&place);
}

#[tokio::test]
async fn an_altered_row_is_damage_not_content() {
    let place = Place::new();
    put(&place.open(), vec![Write::Outbound(outbound(1)), Write::Outbound(outbound(2))]).await;
    let file = Connection::open(place.path()).unwrap();
    file.execute("UPDATE wire SET sealed = (SELECT sealed FROM wire WHERE seq = 2) WHERE seq = 1", ())
        .unwrap();
    drop(file);
    assert_eq!(place.open().message(message_id(1)).await, Err(StoreError::Damaged("wire")));
}

#[test]
fn another_key_is_refused() {
    let place = Place::new();
    drop(place.open());
    let refusal = place.refusal(&owner("MX", Realm::Training), &StoreKey::from_bytes([8; 32]));
    assert!(matches!(refusal, OpenError::WrongKey));
    drop(place.open());
}

#[test]
fn a_store_of_another_country_or_realm_is_refused() {
    let place = Place::new();
    drop(place.open());
    for other in [owner("GT", Realm::Training), owner("MX", Realm::Production)] {
        assert!(matches!(place.refusal(&other, &key()), OpenError::Foreign { .. }));
    }
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let place = Place::new();
    drop(place.open());
    let file = Connection::open(place.path()).unwrap();
    file.pragma_update(None, "user_version", migrations::LATEST + 1).unwrap();
    drop(file);
    let refusal = place.refusal(&owner("MX", Realm::Training), &key());
    let (next, latest) = (migrations::LATEST + 1, migrations::LATEST);
    assert!(matches!(refusal, OpenError::Newer { found, known } if (found, known) == (next, latest)));
}

#[test]
fn what_is_not_a_store_is_refused() {
    let place = Place::new();
    let file = Connection::open(place.path()).unwrap();
    file.execute_batch("CREATE TABLE other (x)").unwrap();
    drop(file);
    assert!(matches!(place.refusal(&owner("MX", Realm::Training), &key()), OpenError::NotAStore));
    fs::write(place.path(), [b'x'; 8_192]).unwrap();
    assert!(matches!(place.refusal(&owner("MX", Realm::Training), &key()), OpenError::NotAStore));
}

#[test]
fn a_second_tenant_is_refused_while_the_first_lives() {
    let place = Place::new();
    let store = place.open();
    assert!(matches!(place.refusal(&owner("MX", Realm::Training), &key()), OpenError::InUse));
    drop(store);
    drop(place.open());
}

/// Sets how large the file may grow, on the writer's connection.
async fn limit_pages(store: &SqliteStore, pages: i64) {
    let set = store.change(0, move |ledger| {
        Ok(ledger.connection.pragma_update_and_check(None, "max_page_count", pages, |row| row.get(0))?)
    });
    let _: i64 = set.await.unwrap();
}

#[tokio::test]
async fn a_full_disk_answers_unavailable_accepts_nothing_and_is_recovered_from() {
    let place = Place::new();
    let store = place.open();
    put(&store, vec![Write::Outbound(outbound(1))]).await;
    limit_pages(&store, 1).await;
    let mut large = outbound(2);
    large.message.wire = vec![1; 200_000];
    let (alone, beside) = tokio::join!(
        commit(&store, vec![Write::Outbound(large.clone())]),
        commit(&store, vec![Write::Outbound(large.clone()), Write::Leaf(leaf(1))]),
    );
    assert_eq!(alone, Err(StoreError::Unavailable("database or disk is full")));
    assert_eq!(beside, Err(StoreError::Unavailable("database or disk is full")));
    assert_eq!(store.message(message_id(2)).await, Ok(None));
    assert_eq!(store.message(message_id(1)).await, Ok(Some(outbound(1).message)));

    limit_pages(&store, 1_000_000).await;
    put(&store, vec![Write::Outbound(large.clone())]).await;
    assert_eq!(store.message(message_id(2)).await, Ok(Some(large.message)));
}

#[tokio::test]
async fn a_panic_in_the_writer_closes_the_store_and_nobody_waits_in_vain() {
    let place = Place::new();
    let store = place.open();
    let panics = store.change(0, |_| -> Result<(), Failure> { panic!("as the test wants") });
    assert_eq!(panics.await, Err(StoreError::Closed));
    assert_eq!(commit(&store, vec![Write::Leaf(leaf(1))]).await, Err(StoreError::Closed));
}

#[test]
fn hot_questions_walk_an_index() {
    let place = Place::new();
    drop(place.open());
    let file = Connection::open(place.path()).unwrap();
    for sql in [
        "SELECT MIN(due_ms) FROM outbox WHERE peer = ?1 AND lane = ?2",
        "SELECT seq FROM outbox WHERE expires_ms <= ?1 ORDER BY expires_ms",
        "SELECT seq FROM message WHERE state = 'unconfirmed' ORDER BY seq DESC",
        "SELECT seq FROM message m WHERE m.operation = ?1 AND (m.created_ms, m.message) > (?2, ?3)
         ORDER BY m.created_ms, m.message",
        "SELECT seq FROM event WHERE role = ?1 AND agency = ?2 AND seq > ?3 ORDER BY seq",
        "SELECT key FROM receipt WHERE to_send = 1 AND peer = ?1 ORDER BY key",
        "SELECT seq FROM approval WHERE closed_ms IS NULL AND lapses_ms <= ?1 ORDER BY lapses_ms",
        "SELECT seq FROM message WHERE act_ms IS NOT NULL AND act_ms <= ?1 ORDER BY act_ms",
        "SELECT seq FROM message WHERE subject_key IS NOT NULL AND subject_key = ?1",
        "SELECT rowid FROM chunk WHERE unnamed_ms IS NOT NULL AND unnamed_ms < ?1 ORDER BY unnamed_ms",
        "SELECT SUM(bytes) FROM chunk WHERE owner = ?1 AND unnamed_ms IS NOT NULL",
        "SELECT seq FROM approval WHERE closed_ms IS NOT NULL AND draft_kept = 1 AND closed_ms < ?1
         ORDER BY closed_ms",
        "SELECT 1 FROM outbox WHERE lane = 2 AND case_id = ?1 AND peer = ?2
         AND (created_ms, seq) < (?3, ?4) AND due_ms > ?5",
    ] {
        let mut explain = file.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = explain.raw_query();
        while let Some(row) = rows.next().unwrap() {
            let step: String = row.get(3).unwrap();
            assert!(step.starts_with("SEARCH"), "{sql}: {step}");
        }
    }
}

/// `cargo nextest run --release -p puente-node measure --run-ignored only --no-capture`
#[tokio::test]
#[ignore = "measures the machine; no verdict"]
async fn measure_rows_per_second_in_groups() {
    const ROWS: u128 = 60_000;
    let place = Place::new();
    let store = Arc::new(place.open());
    let started = std::time::Instant::now();
    let callers: Vec<_> = (0..64_u128)
        .map(|caller| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for number in (caller..ROWS).step_by(64) {
                    let mut row = outbound(number);
                    row.message.case = puente_core::ids::CaseId(uuid::Uuid::from_u128(number / 8));
                    row.message.wire = vec![5; 2_048];
                    let decision = decision(number, number);
                    let event = event(EventKind::MessageState, Some("INM"), number, "queued");
                    put(
                        store.as_ref(),
                        vec![
                            Write::Outbound(row),
                            Write::Decision(decision),
                            Write::Leaf(leaf(number)),
                            Write::Event(event),
                        ],
                    )
                    .await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let seconds = started.elapsed().as_secs_f64();
    let groups = place.told.0.lock().unwrap().len();
    println!("{:.0} rows/s in {groups} groups", ROWS as f64 / seconds);
}

#[tokio::test]
async fn a_store_from_before_there_were_keys_of_subjects_is_read_and_its_content_has_an_end() {
    let place = Place::new();
    let own = StoreCipher::new(&key()).ok().unwrap();
    let file = Connection::open(place.path()).unwrap();
    file.execute_batch(include_str!("migrations/0001_first.sql")).unwrap();
    file.pragma_update(None, "user_version", 1).unwrap();
    file.pragma_update(None, "application_id", 0x5055_454E).unwrap();
    let check = own.seal(seal::Place { table: "meta", key: b"key_check" }, b"puente store").ok().unwrap();
    file.execute("INSERT INTO meta VALUES (1, 'MX', 'training', ?1)", [check]).unwrap();
    let old = inbound(1).message;
    let id = old.message.0.as_bytes();
    file.execute(
        "INSERT INTO message VALUES (1, ?1, 1, ?2, 'GT', 2, 'return.manifest', 3, 'INM', 'returns_reception', ?3, ?4, 7,
             NULL, 1001, 1000000, 'accepted', NULL, '[\"id.core\",\"travel\"]')",
        rusqlite::params![id, old.release.0, old.case.0.as_bytes(), old.operation.unwrap().0.as_bytes()],
    )
    .unwrap();
    let wire = own.seal(seal::Place { table: "wire", key: id }, &old.wire).ok().unwrap();
    file.execute("INSERT INTO wire VALUES (1, ?1)", [wire]).unwrap();
    file.execute(
        "INSERT INTO idempotent VALUES ('INM', 'old', ?1, 200, ?2, 9000)",
        [&[1; 32][..], &b"{}"[..]],
    )
    .unwrap();
    drop(file);

    let store = place.open();
    assert_eq!(store.message(old.message).await, Ok(Some(old.clone())));
    let answer = store.idempotent("INM".parse().unwrap(), "old".to_owned()).await.unwrap();
    assert_eq!(answer.unwrap().body, b"{}");
    const YEAR_MS: i64 = 365 * 86_400_000;
    assert_eq!(store.retention_due(1_000 + YEAR_MS, 10).await, Ok(vec![]));
    let due = store.retention_due(1_001 + YEAR_MS, 10).await.unwrap();
    assert_eq!(due.first().unwrap().0, RetentionStep::Erase);
}
