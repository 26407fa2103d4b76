"""Names that give little away, mailboxes that are one, and how far a friend has come. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

STATES = ("joined", "rewarded", "lapsed", "refused")
REASONS = ("contact", "device", "existing", "loop", "cap")

# No 0, 1, I, L, O: it is read aloud. No A, E, U either: nobody's code should spell a word.
ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
LENGTH = 7
STEPS = 4  # An inviter sees a friend's way in quarters: how much somebody spends is their own affair.

_DOTS_MEAN_NOTHING = {"gmail.com", "googlemail.com"}


def code_of(text: str) -> str:
    """A code however it was typed: ``"k7m-2pqx"`` → ``"K7M2PQX"``."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).upper() if sign.isalnum())


def looks_like_code(text: str) -> bool:
    return len(text) == LENGTH and all(sign in ALPHABET for sign in text)


def mailbox(email: str) -> str:
    """Where mail to this address ends up: ``a.lice+2@gmail.com`` and ``alice@googlemail.com`` are one mailbox."""
    name, _, domain = email.lower().rpartition("@")
    name = name.partition("+")[0]
    if domain in _DOTS_MEAN_NOTHING:
        return f"{name.replace('.', '')}@gmail.com"
    return f"{name}@{domain}"


def first_name(name: str) -> str:
    """What friends recognise and strangers learn little from: ``Alice Lin`` → ``Alice``, ``陈爱丽`` → ``陈**``."""
    words = name.split()
    if not words:
        return ""
    return words[0] if words[0].isascii() else masked(words[0])


def masked(name: str) -> str:
    """``Bob Chen`` → ``B**``: enough to know one's own friends again."""
    return f"{name[0]}**" if name else ""


class Bought(Protocol):
    """A purchase, as far as it matters here. ``amount`` in minor units."""

    @property
    def unit_id(self) -> int: ...
    @property
    def order_no(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def amount(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Spent:
    """Minor units: what counts already, and what may still be sent back."""

    certain: int = 0
    waiting: int = 0

    def steps(self, least: int) -> int:
        """How many of ``STEPS`` towards ``least`` are done."""
        return min(STEPS, (self.certain + self.waiting) * STEPS // least)


def spent_of(
    purchases: Iterable[Bought],
    *,
    since: datetime,
    until: datetime,
    certain_by: datetime,
    returnable: Mapping[tuple[int, str], bool],
) -> Spent:
    """What was spent in ``[since, until)``, by when it was bought, not by when it was reported.

    An order of the mall counts once it cannot be sent back any more (``returnable`` knows); any other purchase
    when it was made by ``certain_by``.
    """
    certain = waiting = 0
    for each in purchases:
        if not since <= each.occurred_at < until:
            continue
        if returnable.get((each.unit_id, each.order_no), each.occurred_at > certain_by):
            waiting += each.amount
        else:
            certain += each.amount
    return Spent(certain, waiting)
