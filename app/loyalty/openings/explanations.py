"""How an opening balance reads in the points history: where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import format_date
from flask_babel import gettext as _

from app.loyalty.ledger.explanations import Facts, explanation, lives_until, sentence, step
from app.loyalty.openings.rows import NEVER, Row

# What the file said; the same key with other facts is another balance.
FACTS = ("earned_on", "last_day", "reference")


def why_opening(row: Row, *, brought_on: date) -> dict[str, Any]:
    told = {
        "earned_on": row.earned_on.isoformat() if row.earned_on else None,
        "last_day": NEVER if row.lasting else row.last_day.isoformat() if row.last_day else None,
        "reference": row.reference or None,
    }
    facts = {name: value for name, value in told.items() if value is not None}
    brought = {"reference": row.reference} if row.reference else {}
    steps = [step("opening.brought", brought_on=brought_on.isoformat(), **brought)]
    if row.earned_on:
        steps.append(step("opening.earned_on", day=row.earned_on.isoformat()))
    if row.last_day or row.lasting:
        steps.append(lives_until(row.last_day))
    return explanation("opening", steps=steps, **facts)


def same_facts(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two explanations tell of the same balance, on whatever day each was brought."""
    return all(one.get(name) == other.get(name) for name in FACTS)


@sentence("opening.brought")
def _brought(facts: Facts) -> str:
    brought_on = _day(facts["brought_on"])
    if "reference" in facts:
        return _(
            "Brought over on %(day)s from our earlier books, reference %(reference)s.",
            day=brought_on,
            reference=facts["reference"],
        )
    return _("Brought over on %(day)s from our earlier books.", day=brought_on)


@sentence("opening.earned_on")
def _earned_on(facts: Facts) -> str:
    return _("Earned on %(day)s.", day=_day(facts["day"]))


def _day(text: str) -> str:
    return str(format_date(date.fromisoformat(text)))
