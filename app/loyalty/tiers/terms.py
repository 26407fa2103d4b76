"""The ladder as an owner writes it; when tiers are reviewed, and when a return counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.config import LOCALES
from app.foundation.database import db
from app.foundation.errors import InvalidInput
from app.foundation.languages import translated
from app.foundation.money import LIMIT, minor_units, programme_currency
from app.foundation.terms import term, terms
from app.loyalty.tiers.models import Tier
from app.loyalty.tiers.rules import METRICS, Keep, Requirement, Step

LATEST_DAY = 28
MOST_TIERS = 12
LONGEST_WINDOW = 60
CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,18}[a-z0-9])?")
WINDOW_MONTHS = 12
Entry = dict[str, Any]


@terms("tiers", _l("Tiers"))
class TierTerms:
    """``review_day`` leaves tills some days to report the last month's purchases."""

    review_day: int = term(
        3, _l("Day of the monthly review"), _l("Leave the shops some days to report what was bought last month.")
    )
    returns: str = term(
        "review",
        _l("When a return counts for the tier"),
        _l("Whoever reached a tier by something that comes back loses it then."),
        choices={"review": _l("At the next review"), "at_once": _l("At once")},
    )

    def __post_init__(self) -> None:
        if not 1 <= self.review_day <= LATEST_DAY:
            raise InvalidInput(_("The review can be on day 1 to %(last)s of a month.", last=LATEST_DAY))
        if self.returns not in ("review", "at_once"):
            raise InvalidInput(_("A return counts at the next review, or at once."))


# --- the ladder -----------------------------------------------------------------------------


def default_ladder(currency: str) -> list[Entry]:
    """The ladder a programme begins with: Silver for 500 spent or earned, Gold 5,000, Diamond 20,000 within a year.

    Silver is kept by 300 points in the last 3 full months with one month of 200 spent; Gold and Diamond by half
    of what reaching them asks, over 6 and 12 full months, with one month of 1,000 and 2,000: the higher the
    tier, the longer the breath. Money is written in major units here and kept in minor ones, as many as
    ``currency`` has.
    """
    major = minor_units(currency)
    return [
        _default("regular", ("Regular", "普通会员", "普通會員"), {}, {}),
        _default("silver", ("Silver", "银卡", "銀卡"), _reach(500, major), _keep(3, 200, 300, major)),
        _default("gold", ("Gold", "金卡", "金卡"), _reach(5_000, major), _keep(6, 1_000, 2_500, major)),
        _default("diamond", ("Diamond", "钻石", "鑽石"), _reach(20_000, major), _keep(12, 2_000, 10_000, major)),
    ]


def _default(code: str, names: tuple[str, str, str], conditions: Entry, keep: Entry) -> Entry:
    return {"code": code, "name": dict(zip(LOCALES, names, strict=True)), "conditions": conditions, "keep": keep}


def _reach(asked: int, major: int) -> Entry:
    conditions = [{"metric": "spend", "at_least": asked * major}, {"metric": "points_earned", "at_least": asked}]
    return {"match": "any", "window_months": WINDOW_MONTHS, "conditions": conditions}


def _keep(months: int, spend: int, points: int, major: int) -> Entry:
    conditions = [
        {"metric": "spend", "at_least": spend * major, "months": 1},
        {"metric": "points_earned", "at_least": points},
    ]
    return {"match": "all", "window_months": months, "conditions": conditions}


def written(tiers: Iterable[Tier]) -> list[Entry]:
    """Rows of the ladder as terms."""
    return [
        {"code": each.code, "name": dict(each.name), "conditions": dict(each.conditions), "keep": dict(each.keep)}
        for each in tiers
    ]


def _as_it_stands() -> list[Entry]:
    """The first version is the ladder that members stand on; where there is none yet, the default."""
    rows = db.session.scalars(sa.select(Tier).order_by(Tier.rank)).all()
    return written(rows) or default_ladder(programme_currency())


@terms("ladder", _l("The ladder of tiers"))
class LadderTerms:
    """``tiers`` from the first step up, in the shape of the rows of ``Tier``: its place in the list is its rank."""

    tiers: list[Entry] = field(default_factory=_as_it_stands, metadata={"label": _l("Tiers"), "help": ""})

    def __post_init__(self) -> None:
        if not 1 <= len(self.tiers) <= MOST_TIERS:
            raise InvalidInput(_("A ladder has between 1 and %(most)s tiers.", most=MOST_TIERS))
        first = self.tiers[0]
        if first["conditions"].get("conditions") or first["keep"].get("conditions"):
            raise InvalidInput(_("Everybody begins on “%(tier)s”, so it cannot ask for anything.", tier=_label(first)))
        for entry in self.tiers:
            _refuse_nonsense(entry)
        for code, times in Counter(entry["code"] for entry in self.tiers).items():
            if times > 1:
                raise InvalidInput(_("The code “%(code)s” is used twice.", code=code))

    @cached_property
    def steps(self) -> list[Step]:
        """As the calculation sees it; ``tier_id`` is the place in the list."""
        return [
            Step(rank, rank, Requirement.parse(entry["conditions"]), Keep.parse(entry["keep"]))
            for rank, entry in enumerate(self.tiers)
        ]

    @property
    def rows(self) -> list[Tier]:
        """As they would stand in the database; not part of any session."""
        return [Tier(rank=rank, **entry) for rank, entry in enumerate(self.tiers)]


def _label(entry: Mapping[str, Any]) -> str:
    return translated(entry.get("name")) or str(entry.get("code") or "?")


def _refuse_nonsense(entry: Mapping[str, Any]) -> None:
    name = _label(entry)
    if not isinstance(entry.get("code"), str) or not CODE.fullmatch(entry["code"]):
        raise InvalidInput(
            _("“%(code)s” is no code: small letters, digits and hyphens, 20 at most.", code=str(entry.get("code"))[:40])
        )
    if not any((entry.get("name") or {}).values()):
        raise InvalidInput(_("Each tier needs a name that members will read."))
    for asked in (entry["conditions"], entry["keep"]):
        if asked.get("match", "any") not in ("any", "all"):
            raise InvalidInput(_("“%(tier)s” asks for any or for all of its conditions.", tier=name))
        months = asked.get("window_months", 1)
        if type(months) is not int or not 1 <= months <= LONGEST_WINDOW:
            raise InvalidInput(_("“%(tier)s” can look back over 1 to %(most)s months.", tier=name, most=LONGEST_WINDOW))
        _refuse_conditions(asked.get("conditions", ()), months, name)


def _refuse_conditions(conditions: Iterable[Mapping[str, Any]], window: int, name: str) -> None:
    seen = set()
    for each in conditions:
        at_least, months = each.get("at_least"), each.get("months", 0)
        if each.get("metric") not in METRICS:
            raise InvalidInput(_("“%(tier)s” asks for something that is not counted.", tier=name))
        if type(at_least) is not int or not 1 <= at_least <= LIMIT:
            raise InvalidInput(
                _("“%(tier)s”: what it asks for are whole numbers or amounts of money, more than 0.", tier=name)
            )
        if type(months) is not int or not 0 <= months <= window:
            raise InvalidInput(_("“%(tier)s” cannot ask for that many of %(window)s months.", tier=name, window=window))
        if (each["metric"], bool(months)) in seen:
            raise InvalidInput(_("“%(tier)s” asks for the same twice.", tier=name))
        seen.add((each["metric"], bool(months)))


def refuse_upside_down(tiers: Sequence[Mapping[str, Any]]) -> None:
    """A higher tier that asks for the same things, and for no more of any, leaves nobody on the lower one.

    Asked of what an owner writes; a ladder that stands is left alone. Raises ``InvalidInput``.
    """
    for lower, higher in pairwise(tiers[1:]):
        _refuse_pair(lower, higher)


def _refuse_pair(lower: Mapping[str, Any], higher: Mapping[str, Any]) -> None:
    one, other = Requirement.parse(lower["conditions"]), Requirement.parse(higher["conditions"])
    asked = {each.metric: each.at_least for each in other.conditions}
    same = (one.match, one.window_months, {each.metric for each in one.conditions}) == (
        other.match,
        other.window_months,
        set(asked),
    )
    if asked and same and all(asked[each.metric] <= each.at_least for each in one.conditions):
        raise InvalidInput(
            _(
                "“%(higher)s” asks for no more than “%(lower)s”, so nobody would stay on the lower one.",
                higher=_label(higher),
                lower=_label(lower),
            )
        )
