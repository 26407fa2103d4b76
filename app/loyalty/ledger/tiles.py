"""A Merkle tree in tiles of 256 neighbouring hashes, so that a proof reads one or two of them per level. Pure.

Tiles of level 0 hold the leaves' hashes, tiles of level *n* the roots of the full subtrees of 256ⁿ leaves. Only the
last tile of a level is shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from app.loyalty.ledger.merkle import HASH, Complete, root

BITS = 8  # Levels of the tree in a tile.
WIDTH = 1 << BITS

Place = tuple[int, int]  # A tile's level and position.


def split(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + HASH] for at in range(0, len(hashes), HASH)]


def tiles_of(leaves: bytes) -> Iterator[tuple[Place, bytes]]:
    """All tiles over these hashes of leaves, which stand one after the other."""
    level, hashes = 0, leaves
    while hashes:
        above = bytearray()
        for position, at in enumerate(range(0, len(hashes), WIDTH * HASH)):
            tile = bytes(hashes[at : at + WIDTH * HASH])
            yield (level, position), tile
            if len(tile) == WIDTH * HASH:
                above += root(split(tile))
        level, hashes = level + 1, bytes(above)


def complete_from(read: Callable[[int, int], bytes]) -> Complete:
    """``complete`` where ``read(level, position)`` gives a tile. Each tile is read once."""
    read_once = cache(read)

    def complete(level: int, index: int) -> bytes:
        tile_level, rest = divmod(level, BITS)
        first = index << rest
        hashes = read_once(tile_level, first >> BITS)
        start = first % WIDTH * HASH
        return root(split(hashes[start : start + (HASH << rest)]))

    return complete
