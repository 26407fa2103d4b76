"""Merkle trees as in RFC 6962 and RFC 9162, section 2.1, with SHA-256. Pure.

A tree is known by its size and by ``complete(level, index)``: the root of the ``2**level`` leaves from
``index * 2**level`` on. Whoever keeps the hashes answers that, so a proof over millions of leaves reads only
what is on its path. A *path* lists hashes from the leaf upwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

Complete = Callable[[int, int], bytes]

HASH = 32  # Bytes of a hash.
EMPTY = sha256(b"").digest()  # The root of a tree without leaves.


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over hashes of leaves. A last one without a neighbour goes up as it is."""
    level = list(leaves)
    while len(level) > 1:
        pairs = [sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0] if level else EMPTY


def complete_in(leaves: Sequence[bytes]) -> Complete:
    """``complete`` where all hashes of leaves are at hand."""
    return lambda level, index: root(leaves[index << level : (index + 1) << level])


class Frontier:
    """A tree that grows leaf by leaf and remembers only its full subtrees, from the left, the largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        self._peaks.append(leaf)
        self.size += 1
        for _ in range(_trailing_zeros(self.size)):
            right, left = self._peaks.pop(), self._peaks.pop()
            self._peaks.append(node_hash(left, right))

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY
        *left, found = self._peaks
        for peak in reversed(left):
            found = node_hash(peak, found)
        return found

    def path_of_next(self) -> list[bytes]:
        """The inclusion path of the next leaf in the tree that ends with it."""
        return self._peaks[::-1]


def _trailing_zeros(number: int) -> int:
    return (number & -number).bit_length() - 1


def _left(size: int) -> int:
    """The greatest power of two below ``size``: how many leaves are left of the top."""
    return 1 << ((size - 1).bit_length() - 1)


def _over(start: int, end: int, complete: Complete) -> bytes:
    """The root over leaves ``start`` to ``end``, where ``start`` is a multiple of the power of two not below them."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return complete(level, start >> level)
    middle = start + _left(size)
    return node_hash(_over(start, middle, complete), _over(middle, end, complete))


def tree_root(size: int, complete: Complete) -> bytes:
    return _over(0, size, complete) if size else EMPTY


def inclusion_path(index: int, size: int, complete: Complete) -> list[bytes]:
    """RFC 9162, 2.1.3.1: what leads from leaf ``index`` to the root of the first ``size`` leaves."""
    if not 0 <= index < size:
        raise ValueError("There is no such leaf.")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _left(end - start)
        if index < middle:
            path.append(_over(middle, end, complete))
            end = middle
        else:
            path.append(_over(start, middle, complete))
            start = middle
    return path[::-1]


def consistency_path(first: int, second: int, complete: Complete) -> list[bytes]:
    """RFC 9162, 2.1.4.1: what shows that the first ``first`` of ``second`` leaves are the smaller tree."""
    if not 0 < first <= second:
        raise ValueError("A tree only grows.")
    start, end, path = 0, second, []
    while first != end:
        middle = start + _left(end - start)
        if first <= middle:
            path.append(_over(middle, end, complete))
            end = middle
        else:
            path.append(_over(start, middle, complete))
            start = middle
    # The smaller tree's own root is known to whoever checks, unless it has more parts than one.
    return ([_over(start, end, complete)] if start else []) + path[::-1]


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """RFC 9162, 2.1.3.2: the root to which the path leads; ``None`` if it cannot be one of this leaf."""
    if not 0 <= index < size:
        return None
    place, last, found = index, size - 1, leaf
    for part in path:
        if last == 0:
            return None
        if place % 2 or place == last:
            found = node_hash(part, found)
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, part)
        place, last = place >> 1, last >> 1
    return found if last == 0 else None


def is_consistent(first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> bool:
    """RFC 9162, 2.1.4.2: is the tree of ``first`` leaves the beginning of the one of ``second`` leaves?"""
    if not 0 < first <= second:
        return False
    if first == second:
        return not path and first_root == second_root
    parts = list(path)
    if first & (first - 1) == 0:
        parts.insert(0, first_root)
    if not parts:
        return False
    place, last = first - 1, second - 1
    while place % 2:
        place, last = place >> 1, last >> 1
    smaller = larger = parts[0]
    for part in parts[1:]:
        if last == 0:
            return False
        if place % 2 or place == last:
            smaller, larger = node_hash(part, smaller), node_hash(part, larger)
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            larger = node_hash(larger, part)
        place, last = place >> 1, last >> 1
    return last == 0 and smaller == first_root and larger == second_root
