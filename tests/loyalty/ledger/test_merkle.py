"""Our trees are those of RFC 6962: published vectors, and properties against a recursion written down naively."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.loyalty.ledger import tiles
from app.loyalty.ledger.merkle import (
    EMPTY,
    HASH,
    Frontier,
    complete_in,
    consistency_path,
    inclusion_path,
    is_consistent,
    leaf_hash,
    root,
    root_by_inclusion,
    tree_root,
)

# The test vectors of the Certificate Transparency reference implementation (also in transparency-dev/merkle).
ENTRIES = [
    bytes.fromhex(entry)
    for entry in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A, B, C, D, E, F, G, H = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
)
INCLUSION = {(0, 1): [], (0, 8): [A, B, C], (5, 8): [D, E, F], (2, 3): [G], (1, 5): [H, B, D]}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [A, B, C],
    (6, 8): ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a", E, F],
    (2, 5): [B, D],
}
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def hexes(path):
    return [part.hex() for part in path]


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots(size):
    assert root(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_the_published_inclusion_proofs(index, size):
    path = inclusion_path(index, size, complete_in(LEAVES))
    assert hexes(path) == INCLUSION[index, size]
    assert root_by_inclusion(LEAVES[index], index, size, path).hex() == ROOTS[size]


@pytest.mark.parametrize(("first", "second"), CONSISTENCY)
def test_the_published_consistency_proofs(first, second):
    path = consistency_path(first, second, complete_in(LEAVES))
    assert hexes(path) == CONSISTENCY[first, second]
    assert is_consistent(first, second, bytes.fromhex(ROOTS[first]), bytes.fromhex(ROOTS[second]), path)


# --- against the definitions of RFC 6962, section 2.1, as they stand there ------------------


def power_below(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(entries):
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\0" + entries[0]).digest()
    k = power_below(len(entries))
    return sha256(b"\1" + mth(entries[:k]) + mth(entries[k:])).digest()


def path_by_definition(m, entries):
    if len(entries) == 1:
        return []
    k = power_below(len(entries))
    if m < k:
        return [*path_by_definition(m, entries[:k]), mth(entries[k:])]
    return [*path_by_definition(m - k, entries[k:]), mth(entries[:k])]


def subproof(m, entries, whole):
    if m == len(entries):
        return [] if whole else [mth(entries)]
    k = power_below(len(entries))
    if m <= k:
        return [*subproof(m, entries[:k], whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], False), mth(entries[:k])]


patient = settings(deadline=None)  # A busy machine is no reason to fail.
SIZES = st.integers(1, 70)


@st.composite
def size_and_place(draw):
    size = draw(SIZES)
    return size, draw(st.integers(0, size - 1))


def entries_of(size):
    return [b"%d" % number for number in range(size)]


@patient
@given(size_and_place())
def test_trees_and_proofs_are_those_of_the_definition(drawn):
    size, place = drawn
    entries = entries_of(size)
    leaves = [leaf_hash(entry) for entry in entries]
    complete = complete_in(leaves)
    assert root(leaves) == tree_root(size, complete) == mth(entries)
    assert inclusion_path(place, size, complete) == path_by_definition(place, entries)
    assert consistency_path(place + 1, size, complete) == subproof(place + 1, entries, True)


@patient
@given(size_and_place(), st.data())
def test_a_proof_holds_and_a_bent_one_does_not(drawn, data):
    size, place = drawn
    leaves = [leaf_hash(entry) for entry in entries_of(size)]
    complete, top = complete_in(leaves), root(leaves)
    path = inclusion_path(place, size, complete)
    assert root_by_inclusion(leaves[place], place, size, path) == top
    for bent in bends(path, data):
        assert root_by_inclusion(leaves[place], place, size, bent) != top
    for elsewhere in {place - 1, place + 1, size}:
        assert root_by_inclusion(leaves[place], elsewhere, size, path) != top
    first = place + 1
    path, older = consistency_path(first, size, complete), root(leaves[:first])
    assert is_consistent(first, size, older, top, path)
    for bent in bends(path, data):
        assert not is_consistent(first, size, older, top, bent)
    assert not is_consistent(first, size, bytes(HASH), top, path)
    assert not is_consistent(first, size, older, bytes(HASH), path)
    assert not is_consistent(0, size, EMPTY, top, path)


def bends(path, data):
    yield [*path, bytes(HASH)]
    if path:
        yield path[:-1]
        at = data.draw(st.integers(0, len(path) - 1))
        yield [*path[:at], bytes(HASH), *path[at + 1 :]]
    if len(path) > 1:
        yield path[::-1]


@patient
@given(SIZES)
def test_a_tree_that_grows_knows_its_root_and_its_last_path(size):
    leaves, log = [leaf_hash(entry) for entry in entries_of(size)], Frontier()
    for number, leaf in enumerate(leaves):
        assert log.path_of_next() == inclusion_path(number, number + 1, complete_in(leaves))
        log.append(leaf)
        assert log.root() == root(leaves[: number + 1])
    assert log.size == size


@settings(max_examples=12, deadline=None)
@given(st.sampled_from([1, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 70_001]), st.data())
def test_tiles_give_the_same_tree(size, data):
    leaves = [size.to_bytes(4) + number.to_bytes(28) for number in range(size)]
    kept = dict(tiles.tiles_of(b"".join(leaves)))
    read = []

    def note(level, position):
        read.append((level, position))
        return kept[level, position]

    place = data.draw(st.integers(0, size - 1))
    path = inclusion_path(place, size, tiles.complete_from(note))
    assert root_by_inclusion(leaves[place], place, size, path) == root(leaves)
    assert all(sum(level == each for each, _ in read) <= 2 for level in range(3))
    assert len(kept[0, (size - 1) // 256]) == HASH * ((size - 1) % 256 + 1)


def test_what_cannot_be_has_no_proof():
    complete = complete_in(LEAVES)
    for index, size in ((0, 0), (8, 8), (-1, 8)):
        with pytest.raises(ValueError, match="leaf"):
            inclusion_path(index, size, complete)
        assert root_by_inclusion(LEAVES[0], index, size, []) is None
    for first, second in ((0, 8), (9, 8)):
        with pytest.raises(ValueError, match="grows"):
            consistency_path(first, second, complete)
