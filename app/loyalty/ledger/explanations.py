"""“Why these points?”: the explanation of a transfer is data, read out in the member's language.

The domain that posts a transfer says why with ``explanation(code, …, steps=[step(…)])``
and registers, once per code, how that reads::

    @sentence("checkin.daily")
    def _daily(facts): return _("Day %(day)s of your streak", day=facts["day"])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.foundation import clock
from app.foundation.formats import day
from app.loyalty.ledger.chain import ERASED
from app.loyalty.ledger.rules import ExpiryPolicy

Facts = Mapping[str, Any]
Sentence = Callable[[Facts], str]

_sentences: dict[str, Sentence] = {}
_kinds: dict[str, Any] = {}


def step(code: str, **facts: Any) -> dict[str, Any]:
    """One step of a calculation. ``facts`` are JSON values: amounts as text, never floats."""
    return {"code": code, **facts}


def explanation(code: str, *, steps: list[dict[str, Any]] | None = None, **facts: Any) -> dict[str, Any]:
    return {"code": code, **facts, "steps": steps or []}


def lives(policy: ExpiryPolicy, since: datetime) -> dict[str, Any]:
    """The step that says how long points live, where that is not left to the programme's own policy."""
    if policy.idle_months is not None:
        return step("lives.active", months=policy.idle_months)
    zone = clock.programme_zone()
    until = policy.expires_at(since, zone)
    return lives_until(clock.local_date(until - timedelta(microseconds=1), zone) if until else None)


def lives_until(last_day: date | None) -> dict[str, Any]:
    """The same for a day that somebody named; ``None`` for ever."""
    return step("lives.until", last_day=last_day.isoformat()) if last_day else step("lives.on")


def sentence(code: str) -> Callable[[Sentence], Sentence]:
    """Register how a code reads. Raises ``ValueError`` if two domains claim one code."""

    def register(read: Sentence) -> Sentence:
        if code in _sentences:
            raise ValueError(f"{code} already has a sentence.")
        _sentences[code] = read
        return read

    return register


def kind_label(kind: str, label: Any) -> None:
    """Register what a kind of transfer is called in lists; ``label`` is a lazy translation."""
    _kinds[kind] = label


def label_of(kind: str) -> str:
    return str(_kinds.get(kind, kind))


def known_kinds() -> list[str]:
    return list(_kinds)


def kinds_called(word: str) -> list[str]:
    """The kinds whose name has ``word`` in it, in the reader's language."""
    return [kind for kind, label in _kinds.items() if word.casefold() in str(label).casefold()]


def explain(facts: Facts) -> list[str]:
    """The sentences of a transfer's explanation, its headline first. Raises ``KeyError`` for an unknown code: a bug."""
    return [_sentences[part["code"]](part) for part in (facts, *facts.get("steps", ()))]


kind_label("expiry", _l("Expired"))
kind_label("adjustment", _l("Correction"))
kind_label("opening", _l("Opening balance"))
kind_label("clawback", _l("Taken back"))
kind_label("reversal", _l("Reversed"))


@sentence("expiry")
def _expiry(facts: Facts) -> str:
    if "earned_until" in facts:
        return _(
            "These points were earned between %(first)s and %(until)s and were valid to the end of %(last)s.",
            first=day(date.fromisoformat(facts["earned_on"])),
            until=day(date.fromisoformat(facts["earned_until"])),
            last=day(date.fromisoformat(facts["last_day"])),
        )
    return _(
        "These points were earned on %(day)s and were valid to the end of %(last)s.",
        day=day(date.fromisoformat(facts["earned_on"])),
        last=day(date.fromisoformat(facts["last_day"])),
    )


@sentence(ERASED)
def _erased(_facts: Facts) -> str:
    return _("The reason is no longer kept; only its fingerprint is.")


@sentence("opening")
def _opening(_facts: Facts) -> str:
    return _("Your balance when this programme began.")


@sentence("lives.until")
def _lives_until(facts: Facts) -> str:
    return _("Valid to the end of %(day)s.", day=day(date.fromisoformat(facts["last_day"])))


@sentence("lives.active")
def _lives_active(facts: Facts) -> str:
    return ngettext(
        "Valid as long as you earn or spend points at least once in %(num)s month.",
        "Valid as long as you earn or spend points at least once in %(num)s months.",
        facts["months"],
    )


@sentence("lives.on")
def _lives_on(_facts: Facts) -> str:
    return _("They do not expire.")


@sentence("deadline")
def _deadline(facts: Facts) -> str:
    if facts["posted"]:
        return _("The waiting time was over, and the points became yours to spend.")
    return _("The time to pay was over, and the points set aside for it were released.")
