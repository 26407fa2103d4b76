"""What a product may grant instead of goods: a benefit, access to a course, an entry into a draw.

The mall sells it and knows it by a code; what the code means, whoever has it to give says here. A kind of product that
nobody registered cannot be sold, so entries into draws wait for the draws.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flask_babel import LazyString


@dataclass(frozen=True, slots=True)
class Grantable:
    """One thing that can be granted; ``name`` in the reader's language. Without ``unit_id`` it is the programme's."""

    code: str
    name: str
    unit_id: int | None = None


class Give(Protocol):
    """Give ``pieces`` of ``code`` to a member. ``key`` names the order's line: the same key gives once.

    ``False`` where there is no such thing (any more): the buyer waits, and the shop gives it later or pays back.
    """

    def __call__(self, *, member_id: int, code: str, pieces: int, key: str, now: datetime) -> bool: ...


class TakeBack(Protocol):
    """Take it back; ``False`` where it was used already and cannot be. Taking it back again changes nothing."""

    def __call__(self, *, member_id: int, code: str, key: str, now: datetime) -> bool: ...


class IsUnused(Protocol):
    """Could it be taken back now? For pages, which say so before anybody tries."""

    def __call__(self, *, member_id: int, code: str, key: str) -> bool: ...


class Had(Protocol):
    """Has the member got it, so that a second one would give them nothing?"""

    def __call__(self, *, member_id: int, code: str) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Grantor:
    """Who gives one kind. ``link`` is where a member finds what a code gave them; ``invitation`` leads there.

    With ``had`` nobody buys it twice; without, every piece gives something of its own.
    """

    kind: str
    label: LazyString
    choices: Callable[[], Sequence[Grantable]]
    give: Give
    take_back: TakeBack
    unused: IsUnused
    link: Callable[[str], str]
    invitation: LazyString
    had: Had | None = None


_grantors: dict[str, Grantor] = {}


def register(grantor: Grantor) -> None:
    """At start. Registering a kind again replaces it."""
    _grantors[grantor.kind] = grantor


def sold_by(units: Collection[int] | None) -> dict[Grantor, list[Grantable]]:
    """What somebody who sees these units may sell now; ``None`` sees all of them, and what is the programme's."""
    found = {
        grantor: [each for each in grantor.choices() if units is None or each.unit_id in units]
        for grantor in _grantors.values()
    }
    return {grantor: choices for grantor, choices in found.items() if choices}


def may_sell(kind: str, code: str, *, unit_id: int, units: Collection[int] | None) -> bool:
    """May a product of this unit grant that? A unit sells its own, and the programme's where all units are seen."""
    grantor = grantor_of(kind)
    found = grantor and next((each for each in grantor.choices() if each.code == code), None)
    if not found:
        return False
    return units is None if found.unit_id is None else found.unit_id == unit_id


def grantor_of(kind: str) -> Grantor | None:
    return _grantors.get(kind)


def is_single(kind: str) -> bool:
    """Is one piece all that anybody can use?"""
    grantor = grantor_of(kind)
    return grantor is not None and grantor.had is not None


def has_got(kind: str, code: str, *, member_id: int | None) -> bool:
    """Would this member pay for what they have? A visitor has nothing."""
    grantor = grantor_of(kind)
    if member_id is None or grantor is None or grantor.had is None:
        return False
    return grantor.had(member_id=member_id, code=code)
