//! Persons of whom nothing goes without people: they objected, or asked that their data be kept and not used.
//!
//! Not here: what is held (R-RGT-03), and answering them (`domestic`). INVARIANT: in memory stands what the store holds: a
//! change is seen by the next decision once it is durable, and a node that starts knows them before it serves.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use puente_core::delivery::Write;
use puente_core::ids::{CountryCode, Digest, MessageId};

use crate::node::Node;
use crate::store::StoreError;

/// Types by which a person stops what is done with her data.
const RESTRICT: [&str; 3] = ["rights.object", "rights.restrict", "rights.erase"];

/// Restrictions read at once.
const AT_ONCE: u32 = 1_000;

/// Whether a message of this type restricts until it is answered.
#[must_use]
pub fn restricts(message_type: &str) -> bool {
    RESTRICT.contains(&message_type)
}

/// Whom this country's own agencies know, by the node's pseudonym of their reference.
#[must_use]
pub fn own(pseudonym: &str) -> String {
    format!("own {pseudonym}")
}

/// Whom a peer told of, by its pseudonym.
#[must_use]
pub fn of_peer(peer: &CountryCode, subject_ref: &str) -> String {
    format!("{peer} {subject_ref}")
}

/// Those that stand.
#[derive(Default)]
pub struct Restrictions(RwLock<Standing>);

#[derive(Default)]
struct Standing {
    by_question: BTreeMap<MessageId, String>,
    keys: BTreeMap<String, usize>,
    digest: Option<Digest>,
}

impl Standing {
    fn place(&mut self, question: MessageId, key: &str) {
        if self.by_question.insert(question, key.to_owned()).is_none() {
            *self.keys.entry(key.to_owned()).or_default() += 1;
        }
    }

    fn lift(&mut self, question: MessageId) {
        let Some(key) = self.by_question.remove(&question) else { return };
        let left = self.keys.get(&key).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            self.keys.remove(&key);
        } else {
            self.keys.insert(key, left);
        }
    }

    fn digested(&self) -> Option<Digest> {
        let texts = self.by_question.iter().map(|(question, key)| format!("{question} {key}\n"));
        (!self.by_question.is_empty()).then(|| Digest::of(texts.collect::<String>().as_bytes()))
    }
}

impl Restrictions {
    fn read(&self) -> RwLockReadGuard<'_, Standing> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read().by_question.is_empty()
    }

    /// Whether this person is restricted.
    #[must_use]
    pub fn holds(&self, key: &str) -> bool {
        self.read().keys.contains_key(key)
    }

    /// A digest of all of them; `None` for none.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.read().digest
    }

    /// Takes up what became durable.
    pub fn take_up(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let mut standing = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            match change {
                Change::Placed(question, key) => standing.place(*question, key),
                Change::Lifted(question) => standing.lift(*question),
            }
        }
        standing.digest = standing.digested();
    }
}

/// What a commit changes of the restrictions.
pub enum Change {
    /// One more stands.
    Placed(MessageId, String),
    /// One stands no more.
    Lifted(MessageId),
}

impl Change {
    /// What these writes change.
    #[must_use]
    pub fn of(writes: &[Write]) -> Vec<Self> {
        let change = |write: &Write| match write {
            Write::Restrict(row) => Some(Self::Placed(row.question, row.key.clone())),
            Write::Unrestrict { question, .. } => Some(Self::Lifted(*question)),
            _ => None,
        };
        writes.iter().filter_map(change).collect()
    }
}

/// Takes up those that stand in the store.
///
/// # Errors
/// When the store does not answer.
pub async fn load(node: &Node) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = node.store.restrictions(after, AT_ONCE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.question);
        let placed: Vec<_> = page.into_iter().map(|row| Change::Placed(row.question, row.key)).collect();
        node.restrictions.take_up(&placed);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_person_is_restricted_while_one_of_her_questions_stands_and_the_digest_tells() {
        let restrictions = Restrictions::default();
        let none = restrictions.digest();
        let (one, two) = (MessageId(Uuid::from_u128(1)), MessageId(Uuid::from_u128(2)));
        restrictions.take_up(&[Change::Placed(one, own("a")), Change::Placed(two, own("a"))]);
        assert!(restrictions.holds(&own("a")) && !restrictions.holds(&own("b")));
        assert_ne!(restrictions.digest(), none);
        restrictions.take_up(&[Change::Lifted(one)]);
        assert!(restrictions.holds(&own("a")));
        restrictions.take_up(&[Change::Lifted(two)]);
        assert!(restrictions.is_empty());
        assert_eq!(restrictions.digest(), none);
    }
}
