"""RFC 6962 section 2.1 as it is written there: roots and inclusion paths, for the receipts of a batch.

Written from the text of the standard, not from the gateway's code.
"""
import hashlib


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def split_at(size: int) -> int:
    """The largest power of two smaller than the size."""
    return 1 << (size - 1).bit_length() - 1


def root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    at = split_at(len(leaves))
    return node_hash(root(leaves[:at]), root(leaves[at:]))


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]): the siblings from the bottom up."""
    if len(leaves) == 1:
        return []
    at = split_at(len(leaves))
    if index < at:
        return path(index, leaves[:at]) + [root(leaves[at:])]
    return path(index - at, leaves[at:]) + [root(leaves[:at])]


def root_from_path(leaf: bytes, index: int, size: int, siblings: list[bytes]) -> bytes:
    """The root that a leaf leads to; refuses a path of another length."""
    if size == 1:
        assert not siblings and index == 0, "path is too long"
        return leaf
    assert siblings and 0 <= index < size, "path is too short, or the place is outside the tree"
    at, last = split_at(size), siblings[-1]
    if index < at:
        return node_hash(root_from_path(leaf, index, at, siblings[:-1]), last)
    return node_hash(last, root_from_path(leaf, index - at, size - at, siblings[:-1]))
