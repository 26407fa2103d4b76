"""“Why these points?”: the explanation of a transfer is data, read out in the member's language.

The domain that posts a transfer says why with ``explanation(code, …, steps=[step(…)])``
and registers, once per code, how that reads::

    @sentence("checkin.daily")
    def _daily(facts): return _("Day %(day)s of your streak", day=facts["day"])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

Facts = Mapping[str, Any]
Sentence = Callable[[Facts], str]

_sentences: dict[str, Sentence] = {}
_kinds: dict[str, Any] = {}


def step(code: str, **facts: Any) -> dict[str, Any]:
    """One step of a calculation. ``facts`` are JSON values: amounts as text, never floats."""
    return {"code": code, **facts}


def explanation(code: str, *, steps: list[dict[str, Any]] | None = None, **facts: Any) -> dict[str, Any]:
    return {"code": code, **facts, "steps": steps or []}


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


def explain(facts: Facts) -> list[str]:
    """The sentences of a transfer's explanation, its headline first. Raises ``KeyError`` for an unknown code: a bug."""
    return [_sentences[part["code"]](part) for part in (facts, *facts["steps"])]


kind_label("expiry", _l("Expired"))
kind_label("adjustment", _l("Correction"))
kind_label("opening", _l("Opening balance"))


@sentence("expiry")
def _expiry(facts: Facts) -> str:
    return _(
        "These points were earned on %(day)s and were valid to the end of %(last)s.",
        day=format_date(date.fromisoformat(facts["earned_on"])),
        last=format_date(date.fromisoformat(facts["last_day"])),
    )


@sentence("opening")
def _opening(_facts: Facts) -> str:
    return _("Your balance when this programme began.")


@sentence("deadline")
def _deadline(facts: Facts) -> str:
    if facts["posted"]:
        return _("The waiting time was over, and the points became yours to spend.")
    return _("The time to pay was over, and the points set aside for it were released.")
