//! RFC 6962 Merkle trees over SHA-256: root, inclusion path, verification.
//!
//! Not here: consistency between two tree sizes (the log's own issue). INVARIANT: leaves and nodes hash
//! under different prefixes (RFC 6962 section 2.1), so neither can pass for the other.

use sha2::{Digest as _, Sha256};

use crate::ids::Digest;

/// Most leaves in one tree here: a delivery batch or an attachment's chunks.
pub const MAX_LEAVES: usize = 1 << 20;

/// Hash of one leaf: `SHA-256(0x00 || bytes)`.
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(bytes);
    Digest(hash.finalize().into())
}

fn node_hash(left: Digest, right: Digest) -> Digest {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left.0);
    hash.update(right.0);
    Digest(hash.finalize().into())
}

/// A tree over leaf hashes, level by level, so that every path is a walk and not a recomputation.
#[derive(Debug, Clone)]
pub struct MerkleTree {
    levels: Vec<Vec<Digest>>,
}

impl MerkleTree {
    /// Builds the tree; an odd node at the end of a level moves up unchanged, which yields RFC 6962's shape.
    #[must_use]
    pub fn new(leaves: Vec<Digest>) -> Self {
        let mut levels = vec![leaves];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let next = level
                .chunks(2)
                .filter_map(|pair| match pair {
                    [left, right] => Some(node_hash(*left, *right)),
                    [odd] => Some(*odd),
                    _ => None,
                })
                .collect();
            levels.push(next);
        }
        Self { levels }
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> usize {
        self.levels.first().map_or(0, Vec::len)
    }

    /// The root; of an empty tree, the hash of nothing (RFC 6962 section 2.1).
    #[must_use]
    pub fn root(&self) -> Digest {
        self.levels.last().and_then(|level| level.first()).copied().unwrap_or_else(|| Digest::of(b""))
    }

    /// Inclusion path of a leaf, from the bottom up.
    #[must_use]
    pub fn path(&self, index: usize) -> Vec<Digest> {
        let mut path = Vec::new();
        let mut position = index;
        for level in &self.levels {
            if let Some(sibling) = level.get(position ^ 1) {
                path.push(*sibling);
            }
            position /= 2;
        }
        path
    }
}

/// The root that a leaf and its path lead to; `None` when the path has another length than `size` asks for.
#[must_use]
pub fn root_from_path(leaf: Digest, index: u64, size: u64, path: &[Digest]) -> Option<Digest> {
    if index >= size {
        return None;
    }
    let (mut position, mut last, mut hash) = (index, size - 1, leaf);
    let mut siblings = path.iter();
    while last > 0 {
        if position % 2 == 1 {
            hash = node_hash(*siblings.next()?, hash);
        } else if position < last {
            hash = node_hash(hash, *siblings.next()?);
        }
        position /= 2;
        last /= 2;
    }
    siblings.next().is_none().then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962 section 2.1, written as it stands there.
    fn reference(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => Digest::of(b""),
            [only] => *only,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                let (left, right) = leaves.split_at(split);
                node_hash(reference(left), reference(right))
            }
        }
    }

    #[test]
    fn every_leaf_of_every_small_tree_proves_its_place_and_no_other() {
        for size in 1..=33_u64 {
            let leaves: Vec<_> = (0..size).map(|i| leaf_hash(&i.to_be_bytes())).collect();
            let tree = MerkleTree::new(leaves.clone());
            assert_eq!(tree.root(), reference(&leaves));
            for (index, leaf) in (0..size).zip(&leaves) {
                let path = tree.path(usize::try_from(index).unwrap_or_default());
                assert_eq!(root_from_path(*leaf, index, size, &path), Some(tree.root()));
                assert_ne!(
                    root_from_path(*leaf, (index + 1) % size, size, &path),
                    if size == 1 { None } else { Some(tree.root()) }
                );
                assert_eq!(root_from_path(*leaf, index, size, &[path.as_slice(), &[*leaf]].concat()), None);
            }
        }
    }

    #[test]
    fn known_roots_of_the_certificate_transparency_tests() {
        // The empty tree's root is the SHA-256 of the empty string.
        assert_eq!(
            MerkleTree::new(Vec::new()).root().to_string(),
            "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
        );
    }
}
