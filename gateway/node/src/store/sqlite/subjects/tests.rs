//! What becomes of a key: in the file, in its log, in memory, in copies, and after a crash between two steps.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use puente_core::delivery::{CommitId, Write};
use puente_core::ids::Realm;
use rusqlite::{Connection, params};

use super::cache::Cache;
use super::key::Wrapper;
use super::*;
use crate::store::suite::{MARKS, commit, conflict, everything, message_id, outbound, put, subject};
use crate::store::{
    CommitObserver, DueErasures, Guard, SqliteStore, Store as _, StoreKey, StoreOwner, SubjectsKey,
};

struct Unobserved;

impl CommitObserver for Unobserved {
    fn committed(&self, _commits: usize, _writes: usize, _micros: u64) {}
}

/// A folder with a store and its keys of subjects.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn try_open(&self) -> Result<SqliteStore, OpenError> {
        let owner = StoreOwner { country: "MX".parse().unwrap(), realm: Realm::Training };
        let subjects = SubjectKeyFile::open(&self.at("subjects.db"), &owner, &wrapping())?;
        let key = StoreKey::from_bytes([7; 32]);
        SqliteStore::open(&self.at("node.db"), &owner, &key, subjects, Arc::new(Unobserved))
    }

    fn open(&self) -> SqliteStore {
        self.try_open().unwrap()
    }

    /// A copy of a whole database as SQLite takes it online, without its log.
    fn copy(&self, name: &str) -> PathBuf {
        let copy = self.0.path().join(format!("copies-{name}"));
        let file = Connection::open(self.at(name)).unwrap();
        file.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
        copy
    }

    /// Puts a copy where the database was.
    fn restore(&self, name: &str, copy: &Path) {
        for end in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(self.at(&format!("{name}{end}")));
        }
        fs::copy(copy, self.at(name)).unwrap();
    }

    fn lies_anywhere(&self, sought: &[u8]) -> bool {
        fs::read_dir(self.0.path()).unwrap().any(|entry| {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            bytes.windows(sought.len()).any(|window| window == sought)
        })
    }

    /// The wrapped bytes of a subject's key as they stand in the file, and the id.
    fn wrapped(&self, number: u8) -> (SubjectKeyId, Vec<u8>) {
        Connection::open(self.at("subjects.db"))
            .unwrap()
            .query_row(
                "SELECT key, wrapped FROM subject_key WHERE subject = ?1",
                params![subject(number).0],
                |row| Ok((SubjectKeyId(row.get(0)?), row.get(1)?)),
            )
            .unwrap()
    }
}

fn wrapping() -> SubjectsKey {
    SubjectsKey::from_bytes([9; 32])
}

async fn state(store: &SqliteStore, number: u128) -> (String, usize) {
    let row = store.message(message_id(number)).await.unwrap().unwrap();
    (row.state, row.wire.len())
}

#[tokio::test]
async fn a_destroyed_key_lies_in_no_file_byte_for_byte() {
    let place = Place::new();
    let store = place.open();
    // So many that pages fill and the tree grows above them; the one that goes stands in the middle.
    for number in 1..=255_u8 {
        let mut row = outbound(u128::from(number));
        row.keeping.subject = subject(number);
        put(&store, vec![Write::Outbound(row)]).await;
    }
    let (id, wrapped) = place.wrapped(100);
    let place_of = crate::store::sqlite::seal::Place { table: "subject_key", key: &id.0 };
    let secret = Wrapper::new(&wrapping()).ok().unwrap().open(place_of, &wrapped).ok().unwrap();
    assert!(place.lies_anywhere(&wrapped) && !place.lies_anywhere(&secret));

    store.erase_subject(subject(100), 5_000).await.unwrap();
    for part in [&wrapped[..], &wrapped[12..28], &wrapped[28..44], &secret[..]] {
        assert!(!place.lies_anywhere(part));
    }
    assert_eq!(state(&store, 100).await, ("erased".to_owned(), 0));
    assert_eq!(state(&store, 99).await, ("queued".to_owned(), b"MARK-WIRE".len()));
    drop(store);
    assert!(!place.lies_anywhere(&wrapped));
    assert_eq!(state(&place.open(), 101).await.1, b"MARK-WIRE".len());
}

#[tokio::test]
async fn nothing_of_an_erased_subject_is_read_again_and_nothing_of_it_ever_lay_in_the_clear() {
    let place = Place::new();
    let store = place.open();
    put(&store, everything()).await;
    store.erase_subject(subject(1), 5_000).await.unwrap();
    assert_eq!(state(&store, 1).await, ("erased".to_owned(), 0));
    assert_eq!(state(&store, 2).await, ("erased".to_owned(), 0));
    assert_eq!(store.withheld(message_id(1)).await, Err(StoreError::Erased));
    assert!(store.decision(message_id(1)).await.unwrap().unwrap().facts.is_empty());
    let draft = store.approval(crate::store::suite::approval_id(1)).await.err();
    assert_eq!(draft, Some(StoreError::Erased));
    assert!(!place.lies_anywhere(MARKS));
}

#[tokio::test]
async fn a_copy_of_the_store_from_before_an_erasure_is_unreadable_and_marked_again() {
    let place = Place::new();
    let store = place.open();
    put(&store, everything()).await;
    let copy = place.copy("node.db");
    store.erase_subject(subject(1), 5_000).await.unwrap();
    drop(store);
    place.restore("node.db", &copy);

    let store = place.open();
    assert_eq!(state(&store, 1).await, ("erased".to_owned(), 0));
    assert_eq!(store.withheld(message_id(1)).await, Err(StoreError::Erased));
    let due = store.erasures_due(10).await.unwrap();
    let messages: Vec<_> = due.messages.iter().map(|row| row.message).collect();
    assert_eq!(messages, [message_id(1), message_id(2)]);
    put(&store, messages.into_iter().map(|message| Write::Erased { message }).collect()).await;
    put(&store, vec![Write::ErasuresSettled { erasures: due.erasures }]).await;
    assert_eq!(store.erasures_due(10).await, Ok(DueErasures::default()));
}

#[tokio::test]
async fn a_key_store_restored_from_before_an_erasure_loses_the_key_again_before_anything_is_read() {
    let place = Place::new();
    let store = place.open();
    put(&store, everything()).await;
    let (_, wrapped) = place.wrapped(1);
    let copy = place.copy("subjects.db");
    store.erase_subject(subject(1), 5_000).await.unwrap();
    drop(store);
    place.restore("subjects.db", &copy);
    fs::remove_file(copy).unwrap();
    assert!(place.lies_anywhere(&wrapped));

    let store = place.open();
    assert!(!place.lies_anywhere(&wrapped));
    assert_eq!(state(&store, 1).await, ("erased".to_owned(), 0));
}

#[tokio::test]
async fn an_erasure_that_a_crash_cut_in_two_is_ended_at_the_next_start() {
    let place = Place::new();
    let store = place.open();
    put(&store, everything()).await;
    let (_, wrapped) = place.wrapped(1);
    let begun = store.change(0, |ledger| crate::store::sqlite::write::condemn(ledger, subject(1), 5_000));
    assert!(begun.await.unwrap().is_some());
    assert!(place.lies_anywhere(&wrapped));
    // From the first step on nothing more is sealed under the key.
    assert_eq!(commit(&store, vec![Write::Outbound(outbound(9))]).await, conflict(0, Guard::Erased));
    drop(store);

    let store = place.open();
    assert!(!place.lies_anywhere(&wrapped));
    assert_eq!(store.erasures_due(10).await.unwrap().messages.len(), 2);
}

#[tokio::test]
async fn an_erasure_that_a_failure_cut_in_two_is_ended_when_it_is_next_looked_for() {
    let place = Place::new();
    let store = place.open();
    put(&store, everything()).await;
    let (_, wrapped) = place.wrapped(1);
    let begun = store.change(0, |ledger| crate::store::sqlite::write::condemn(ledger, subject(1), 5_000));
    begun.await.unwrap();
    assert_eq!(store.erasures_due(10).await.unwrap().messages.len(), 2);
    assert!(!place.lies_anywhere(&wrapped));
}

#[tokio::test]
async fn a_subject_that_comes_again_gets_another_key() {
    let place = Place::new();
    let store = place.open();
    put(&store, vec![Write::Outbound(outbound(1))]).await;
    let (first, _) = place.wrapped(1);
    store.erase_subject(subject(1), 5_000).await.unwrap();
    put(&store, vec![Write::Outbound(outbound(2))]).await;
    assert_ne!(place.wrapped(1).0, first);
    assert_eq!(state(&store, 2).await.0, "queued");
    assert_eq!(state(&store, 1).await.0, "erased");
    assert_eq!(store.erasures_due(10).await.unwrap().messages.len(), 1);
}

#[tokio::test]
async fn a_key_is_made_before_the_commit_that_needs_it_and_survives_one_that_fails() {
    let place = Place::new();
    let store = place.open();
    put(&store, vec![Write::Outbound(outbound(1))]).await;
    let mut again = outbound(1);
    again.keeping.subject = subject(2);
    assert_eq!(commit(&store, vec![Write::Outbound(again)]).await, conflict(0, Guard::Taken));
    let (made, _) = place.wrapped(2);
    drop(store);
    let store = place.open();
    let mut later = outbound(2);
    later.keeping.subject = subject(2);
    store.commit(CommitId(1), vec![Write::Outbound(later)]).await.unwrap();
    assert_eq!(place.wrapped(2).0, made);
}

#[test]
fn another_key_store_and_another_wrapping_key_are_refused() {
    let place = Place::new();
    drop(place.open());
    let owner = StoreOwner { country: "MX".parse().unwrap(), realm: Realm::Training };
    let other = SubjectKeyFile::open(&place.at("subjects.db"), &owner, &SubjectsKey::from_bytes([8; 32]));
    assert!(matches!(other.err(), Some(OpenError::WrongKey)));
    fs::remove_file(place.at("subjects.db")).unwrap();
    assert!(matches!(place.try_open().err(), Some(OpenError::OtherSubjects)));
}

#[test]
fn the_key_store_is_its_owners_alone_and_of_one_process_and_country() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let store = place.open();
    let mode = fs::metadata(place.at("subjects.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut owner = StoreOwner { country: "MX".parse().unwrap(), realm: Realm::Training };
    let second = SubjectKeyFile::open(&place.at("subjects.db"), &owner, &wrapping());
    assert!(matches!(second.err(), Some(OpenError::InUse)));
    drop(store);
    owner.country = "GT".parse().unwrap();
    let foreign = SubjectKeyFile::open(&place.at("subjects.db"), &owner, &wrapping());
    assert!(matches!(foreign.err(), Some(OpenError::Foreign { .. })));
}

#[test]
fn memory_holds_the_keys_used_lately_and_never_more_than_its_bound() {
    let wrapper = Wrapper::new(&wrapping()).ok().unwrap();
    let tag = |number: usize| {
        let mut tag = [0; 32];
        tag[..8].copy_from_slice(&number.to_be_bytes());
        SubjectTag(tag)
    };
    let mut cache = Cache::default();
    let (first, _) = wrapper.mint().ok().unwrap();
    let first = Arc::new(first);
    cache.insert(tag(0), Arc::clone(&first));
    for number in 1..=3 * Cache::MOST {
        assert!(cache.of(&tag(0)).is_some(), "used all the time");
        let (key, _) = wrapper.mint().ok().unwrap();
        cache.insert(tag(number), Arc::new(key));
        assert!(cache.len() <= Cache::MOST + 1);
    }
    assert!(cache.of(&tag(1)).is_none());
    cache.remove(&first.id());
    assert!(cache.of(&tag(0)).is_none() && cache.by_id(&first.id()).is_none());
}
