"""From what an owner wrote to benefits: every refusal is a sentence that says what is wrong, and where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from itertools import combinations
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.config import LOCALES
from app.foundation.errors import InvalidInput
from app.foundation.languages import translated
from app.loyalty.benefits.rules import GIFTS, MEASURED, PERIODS, Benefit, Gift, Kind

CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?")
NUMBER = re.compile(r"\d{1,4}(\.\d{1,4})?|\d{1,4}/[1-9]\d{0,3}")  # Short enough that no fraction is a burden.
HIGHEST_MULTIPLIER = 10
MOST_POINTS = 1_000_000
MOST_GIFTS = 20
LONGEST_TEXT = 200
FIELDS = frozenset(
    ("code", "kind", "name", "value", "tiers", "tags", "units", "starts", "ends", "gifts", "series", "period")
) | {"contact"}

KINDS: dict[Kind, Any] = {
    Kind.DISCOUNT: _l("Member price"),
    Kind.MULTIPLIER: _l("Points multiplier"),
    Kind.EARLY_ACCESS: _l("Early access"),
    Kind.TIER_ONLY: _l("Exclusive products"),
    Kind.BIRTHDAY_GIFT: _l("Birthday gift"),
    Kind.MONTHLY_GIFT: _l("Monthly gift"),
    Kind.COUPON_PACK: _l("Gift pack"),
    Kind.FREE_DELIVERY: _l("Free delivery"),
    Kind.PRIORITY_DELIVERY: _l("Priority delivery"),
    Kind.RETURN_WINDOW: _l("Longer return window"),
    Kind.WARRANTY: _l("Extended warranty"),
    Kind.DEDICATED_AGENT: _l("Contact person of your own"),
    Kind.EVENT_PRIORITY: _l("Priority at events"),
}
# What a colleague has to know who adds one.
NOTES: dict[Kind, Any] = {
    Kind.TIER_ONLY: _l(
        "A tier opens the products that ask for it or for a lower one. Whoever has this by a tag or by hand may have"
        " every product that asks for a tier."
    ),
    Kind.PRIORITY_DELIVERY: _l("Their orders stand first among those to pack and to ship, with a mark."),
    Kind.DEDICATED_AGENT: _l("Members read how to reach their contact person; colleagues at the desk see a mark."),
    Kind.EVENT_PRIORITY: _l("There are no events yet: members read it, colleagues keep it, and nothing else happens."),
}
# What is measured in whole numbers: its unit, the least and the most.
WHOLE = {
    Kind.DISCOUNT: (_l("percent"), 0, 100),
    Kind.EARLY_ACCESS: (_l("days"), 1, 365),
    Kind.RETURN_WINDOW: (_l("days"), 1, 365),
    Kind.WARRANTY: (_l("months"), 1, 120),
}

Entry = Mapping[str, Any]


def benefits(entries: Sequence[Entry]) -> tuple[Benefit, ...]:
    """All benefits of a programme. Raises ``InvalidInput`` also where two of them contradict each other."""
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InvalidInput(_("Benefits are a list of entries."))
    found = tuple(benefit(entry) for entry in entries)
    for code, times in Counter(each.code for each in found).items():
        if times > 1:
            raise InvalidInput(_("The code “%(code)s” is used twice.", code=code))
    for one, other in combinations(found, 2):
        if one.kind is other.kind:
            _refuse_contradiction(one, other)
    return found


def benefit(entry: Entry) -> Benefit:
    """One entry. Raises ``InvalidInput``."""
    kind, code = _kind(entry), _code(entry.get("code"))
    if unknown := sorted(set(entry) - FIELDS):
        raise InvalidInput(_("“%(code)s”: nobody knows what “%(field)s” means.", code=code, field=unknown[0][:40]))
    name = _texts(entry.get("name"), code) or _no_name(code)
    label = translated(name)
    gifts = _gifts(entry.get("gifts"), label) if kind in GIFTS else ()
    starts, ends = _moment(entry.get("starts"), label), _moment(entry.get("ends"), label)
    if starts and ends and ends <= starts:
        raise InvalidInput(_("“%(name)s” ends before it begins.", name=label))
    return Benefit(
        code=code,
        kind=kind,
        name=name,
        value=_value(kind, entry.get("value"), label),
        tiers=_codes(entry.get("tiers"), label),
        tags=_words(entry.get("tags"), label),
        units=_codes(entry.get("units"), label),
        starts=starts,
        ends=ends,
        gifts=gifts,
        series=_series(kind, entry.get("series"), code),
        period=_period(kind, entry.get("period"), label),
        contact=_texts(entry.get("contact"), label) if kind is Kind.DEDICATED_AGENT else {},
    )


# --- single values --------------------------------------------------------------------------


def _kind(entry: Entry) -> Kind:
    try:
        return Kind(str(entry.get("kind")))
    except ValueError as error:
        raise InvalidInput(_("“%(kind)s” is no kind of benefit.", kind=str(entry.get("kind"))[:40])) from error


def _code(value: object) -> str:
    if not isinstance(value, str) or not CODE.fullmatch(value):
        raise InvalidInput(
            _("“%(code)s” is no code: small letters, digits and hyphens, 30 at most.", code=str(value)[:40])
        )
    return value


def _codes(value: object, label: str) -> frozenset[str]:
    if value in (None, ""):
        return frozenset()
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise InvalidInput(_("“%(name)s”: tiers and units are lists of codes.", name=label))
    return frozenset(value)


def _words(value: object, label: str) -> frozenset[str]:
    """Tags, which members have in small letters."""
    return frozenset(" ".join(each.split()).casefold() for each in _codes(value, label))


def _texts(value: object, label: str) -> dict[str, str]:
    texts = value or {}
    if not isinstance(texts, dict) or any(
        not isinstance(text, str) or locale not in LOCALES for locale, text in texts.items()
    ):
        raise InvalidInput(_("“%(name)s”: texts are written by language.", name=label))
    if any(len(text) > LONGEST_TEXT for text in texts.values()):
        raise InvalidInput(
            _("“%(name)s”: please use at most %(most)s characters for a text.", name=label, most=LONGEST_TEXT)
        )
    return {locale: text.strip() for locale, text in texts.items() if text.strip()}


def _no_name(code: str) -> dict[str, str]:
    raise InvalidInput(_("“%(code)s” needs a name that members will read.", code=code))


def _moment(value: object, label: str) -> datetime | None:
    """A local time without a zone: it is the programme's."""
    if value in (None, ""):
        return None
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=None)
    except ValueError as error:
        raise InvalidInput(
            _("“%(name)s”: “%(value)s” is no date and time.", name=label, value=str(value)[:40])
        ) from error


def _value(kind: Kind, value: object, label: str) -> Fraction:
    if kind is Kind.MULTIPLIER:
        text = str(value).strip()
        if not NUMBER.fullmatch(text) or not 1 <= Fraction(text) <= HIGHEST_MULTIPLIER:
            raise InvalidInput(
                _(
                    "“%(name)s” multiplies by a number from 1 to %(most)s, for example 1.5.",
                    name=label,
                    most=HIGHEST_MULTIPLIER,
                )
            )
        return Fraction(text)
    if kind not in WHOLE:
        return Fraction(0)
    what, least, most = WHOLE[kind]
    if type(value) is not int or not least <= value <= most:
        raise InvalidInput(
            _(
                "“%(name)s”: the %(what)s must be a whole number from %(least)s to %(most)s.",
                name=label,
                what=what,
                least=least,
                most=most,
            )
        )
    return Fraction(value)


def _gifts(value: object, label: str) -> tuple[Gift, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_GIFTS:
        raise InvalidInput(_("“%(name)s” gives nothing: write down points or a gift.", name=label))
    return tuple(_gift(each, label) for each in value)


def _gift(entry: object, label: str) -> Gift:
    if not isinstance(entry, dict) or len(entry) != 1 or not entry.keys() <= {"points", "text"}:
        raise InvalidInput(_("“%(name)s”: a gift is either points or a text.", name=label))
    if "text" in entry:
        text = _texts(entry["text"], label)
        if not text:
            raise InvalidInput(_("“%(name)s” gives nothing: write down points or a gift.", name=label))
        return Gift(text=text)
    points = entry["points"]
    if type(points) is not int or not 1 <= points <= MOST_POINTS:
        raise InvalidInput(_("“%(name)s” can give from 1 to %(most)s points.", name=label, most=MOST_POINTS))
    return Gift(points=points)


def _series(kind: Kind, value: object, code: str) -> str:
    """What counts together. Birthday gifts are one whatever their tier, and so are monthly ones."""
    if kind not in GIFTS:
        return ""
    if value in (None, ""):
        return {Kind.BIRTHDAY_GIFT: "birthday", Kind.MONTHLY_GIFT: "monthly"}.get(kind, code)
    return _code(value)


def _period(kind: Kind, value: object, label: str) -> str:
    if kind not in GIFTS:
        return ""
    if kind is not Kind.COUPON_PACK:
        return "month" if kind is Kind.MONTHLY_GIFT else "year"
    if value in (None, ""):
        return "once"
    if value not in PERIODS:
        raise InvalidInput(_("“%(name)s” is given once, every month or every year.", name=label))
    return str(value)


# --- several of them ------------------------------------------------------------------------


def _refuse_contradiction(one: Benefit, other: Benefit) -> None:
    """Of two that measure the same for the same people at the same time, nobody could say which one was meant."""
    shared = sorted(one.tiers & other.tiers) or sorted(one.tags & other.tags)
    if not shared or not _meet(one, other):
        return
    if one.kind in GIFTS:
        if one.series == other.series:
            raise _contradiction(one, other, shared)
        return
    if one.kind not in (*MEASURED, Kind.DEDICATED_AGENT):
        return
    if one.units & other.units or (not one.units and not other.units):
        raise _contradiction(one, other, shared)
    if one.units and other.units:
        return
    wide, narrow = (other, one) if one.units else (one, other)
    if one.kind in MEASURED and narrow.value <= wide.value:
        raise InvalidInput(
            _(
                "“%(narrow)s” (%(narrow_code)s) would never count: “%(wide)s” (%(wide_code)s) is no less and counts"
                " in every unit.",
                narrow=translated(narrow.name),
                narrow_code=narrow.code,
                wide=translated(wide.name),
                wide_code=wide.code,
            )
        )


def _contradiction(one: Benefit, other: Benefit, shared: Sequence[str]) -> InvalidInput:
    return InvalidInput(
        _(
            "“%(one)s” (%(one_code)s) and “%(other)s” (%(other_code)s) contradict each other: both are for %(whom)s at"
            " the same time. Which one counts? Change the tier, the unit or the time.",
            one=translated(one.name),
            one_code=one.code,
            other=translated(other.name),
            other_code=other.code,
            whom=", ".join(shared),
        )
    )


def _meet(one: Benefit, other: Benefit) -> bool:
    """May there be a moment at which both run?"""
    begin = max(filter(None, (one.starts, other.starts)), default=None)
    end = min(filter(None, (one.ends, other.ends)), default=None)
    return begin is None or end is None or begin < end
