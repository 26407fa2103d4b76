"""From what an owner wrote to rules: every refusal is a sentence that says what is wrong, and where.

Entries are mappings as they are stored. ``label`` names an entry the way its author does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.languages import translated
from app.foundation.points import LIMIT
from app.loyalty.earning.rules import PERIODS, Bonus, Campaign, Caps, Milestone, Rate, Reward, Scope

MOST_POINTS = 1_000_000
HIGHEST_RATE = 10_000
HIGHEST_MULTIPLIER = 100
MOST_NTH = 1_000
CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?")
NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9}|/[0-9]{1,9})?", re.ASCII)
SCOPE = ("unit", "category", "sku")
CAPS = ("purchase", "day", "month", "total")  # Each spans more than the one before it.
A_YEAR = timedelta(days=400)
ALL_DAYS = frozenset(range(1, 32))
ALL_WEEKDAYS = frozenset(range(7))

Entry = Mapping[str, Any]


def label(entry: Entry) -> str:
    """A campaign's or bonus's own name; its code where it has none."""
    names = entry.get("name")
    return (translated(names) if names else "") or str(entry.get("code") or "?")


# --- single values --------------------------------------------------------------------------


def fraction(value: object, what: object, *, most: int) -> Fraction:
    """``"1.5"`` or ``"3/2"``. Raises ``InvalidInput`` for what is no number, negative, or more than ``most``."""
    text = str(value).strip()
    if not NUMBER.fullmatch(text):  # Not "1e999999999" either: that would take for ever.
        raise InvalidInput(_("%(what)s: “%(value)s” is not a number.", what=what, value=text[:40]))
    try:
        number = Fraction(text)
    except ZeroDivisionError as error:
        raise InvalidInput(_("%(what)s: “%(value)s” is not a number.", what=what, value=text)) from error
    if number < 0:
        raise InvalidInput(_("%(what)s must not be negative.", what=what))
    if number > most:
        raise InvalidInput(_("%(what)s can be %(most)s at most.", what=what, most=most))
    return number


def whole(value: object, what: object, *, least: int, most: int) -> int:
    """Raises ``InvalidInput`` unless it is a whole number within these bounds."""
    if type(value) is not int or not least <= value <= most:
        raise InvalidInput(
            _("%(what)s must be a whole number from %(least)s to %(most)s.", what=what, least=least, most=most)
        )
    return value


def optional(value: object, what: object, *, most: int = LIMIT) -> int | None:
    """A cap or a budget; nothing is none."""
    return None if value in (None, "") else whole(value, what, least=1, most=most)


def _code(entry: Entry) -> str:
    code = entry.get("code")
    if not isinstance(code, str) or not CODE.fullmatch(code):
        raise InvalidInput(
            _("“%(code)s” is no code: small letters, digits and hyphens, 30 at most.", code=str(code)[:40])
        )
    return code


def _names(entry: Entry) -> dict[str, str]:
    names = {locale: text.strip() for locale, text in (entry.get("name") or {}).items() if text and text.strip()}
    if not names:
        raise InvalidInput(_("“%(code)s” needs a name that members will read.", code=entry.get("code")))
    return names


def _scope(entry: Entry) -> Scope:
    return Scope(**{name: entry.get(name) or None for name in SCOPE})


def _moment(value: object, what: object) -> datetime | None:
    """A local time without a zone: it is the programme's."""
    if value in (None, ""):
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidInput(_("%(what)s: “%(value)s” is no date and time.", what=what, value=str(value)[:40])) from error
    if moment.tzinfo is not None:
        raise InvalidInput(_("%(what)s: times are those of the programme, without a timezone.", what=what))
    return moment


def _days(value: object, allowed: frozenset[int], what: object) -> frozenset[int]:
    days = value or []
    if not isinstance(days, list) or any(type(day) is not int or day not in allowed for day in days):
        raise InvalidInput(_("%(what)s: there are no such days.", what=what))
    return frozenset(days)


# --- entries --------------------------------------------------------------------------------


def rates(entries: Sequence[Entry], everything: object) -> tuple[Rate, ...]:
    """The most exact first; the last fits everything."""
    found = []
    for entry in entries:
        scope = _scope(entry)
        if not scope.weight:
            raise InvalidInput(_("A rate of its own needs a unit, a category or an article."))
        found.append(Rate(fraction(entry.get("rate"), _scope_text(scope), most=HIGHEST_RATE), scope))
    for scope, times in Counter(rate.scope for rate in found).items():
        if times > 1:
            raise InvalidInput(_("There are two rates for %(scope)s. Which one is meant?", scope=_scope_text(scope)))
    found.sort(key=lambda rate: -rate.scope.weight)
    return (*found, Rate(fraction(everything, _l("Points per unit of money"), most=HIGHEST_RATE)))


def _scope_text(scope: Scope) -> str:
    parts = [part for part in (scope.unit, scope.category, scope.sku) if part]
    return " · ".join(parts) or _("everything")


def campaigns(entries: Sequence[Entry]) -> tuple[Campaign, ...]:
    found = tuple(_campaign(entry) for entry in entries)
    _codes_differ(entries)
    for place, one in enumerate(found):
        for other in found[place + 1 :]:
            if one.scope == other.scope and _meet(one, other):
                raise InvalidInput(
                    _(
                        "“%(one)s” and “%(other)s” multiply the same purchases at the same time. Only one of them"
                        " would count: change the time or what they are for.",
                        one=translated(one.name),
                        other=translated(other.name),
                    )
                )
    return found


def _campaign(entry: Entry) -> Campaign:
    name = label(entry)
    made = Campaign(
        code=_code(entry),
        name=_names(entry),
        times=fraction(entry.get("times"), _l("The multiplier of “%(name)s”", name=name), most=HIGHEST_MULTIPLIER),
        scope=_scope(entry),
        days=_days(entry.get("days"), ALL_DAYS, name),
        weekdays=_days(entry.get("weekdays"), ALL_WEEKDAYS, name),
        starts=_moment(entry.get("starts"), name),
        ends=_moment(entry.get("ends"), name),
        budget=optional(entry.get("budget"), _l("The budget of “%(name)s”", name=name)),
    )
    if made.times <= 1:
        raise InvalidInput(_("“%(name)s” must multiply by more than 1.", name=name))
    if made.starts and made.ends and made.ends <= made.starts:
        raise InvalidInput(_("“%(name)s” ends before it begins.", name=name))
    return made


def _meet(one: Campaign, other: Campaign) -> bool:
    """May there be a moment at which both run?"""
    begin = max(filter(None, (one.starts, other.starts)), default=None)
    end = min(filter(None, (one.ends, other.ends)), default=None)
    if begin and end and begin >= end:
        return False
    if one.days and other.days and not one.days & other.days:
        return False
    if one.weekdays and other.weekdays and not one.weekdays & other.weekdays:
        return False
    if begin and end and end - begin < A_YEAR:  # The 3rd of a month never lies in a week from the 19th.
        midnight = datetime.combine(begin, time.min)
        nights = (end.date() - begin.date()).days
        moments = [begin, *(midnight + timedelta(days=night) for night in range(1, nights + 1))]
        return any(one.runs(moment) and other.runs(moment) for moment in moments)
    return True


def bonuses(entries: Sequence[Entry]) -> tuple[Bonus, ...]:
    found = tuple(_bonus(entry) for entry in entries)
    _codes_differ(entries)
    for (nth, _period, _least), times in Counter((each.nth, each.period, each.at_least) for each in found).items():
        if times > 1:
            raise InvalidInput(_("Two bonuses are for purchase number %(nth)s of the same period.", nth=nth))
    return found


def _bonus(entry: Entry) -> Bonus:
    name = label(entry)
    return Bonus(
        code=_code(entry),
        name=_names(entry),
        nth=whole(entry.get("nth"), _l("The number of the purchase in “%(name)s”", name=name), least=1, most=MOST_NTH),
        period=_period(entry, name),
        points=whole(entry.get("points"), _l("The points of “%(name)s”", name=name), least=1, most=MOST_POINTS),
        at_least=whole(
            entry.get("at_least") or 0, _l("The least amount of “%(name)s”", name=name), least=0, most=LIMIT
        ),
        budget=optional(entry.get("budget"), _l("The budget of “%(name)s”", name=name)),
    )


def _period(entry: Entry, name: str) -> str:
    period = entry.get("period")
    if period not in PERIODS:
        raise InvalidInput(_("“%(name)s” counts in a month, in a year, or ever.", name=name))
    return str(period)


def milestones(entries: Sequence[Entry]) -> tuple[Milestone, ...]:
    found = tuple(_milestone(entry) for entry in entries)
    _codes_differ(entries)
    for asked, times in Counter((each.period, each.earn) for each in found).items():
        if times > 1:
            raise InvalidInput(_("Two milestones ask for %(earn)s points in the same period.", earn=asked[1]))
    return found


def _milestone(entry: Entry) -> Milestone:
    name = label(entry)
    made = Milestone(
        code=_code(entry),
        name=_names(entry),
        earn=whole(entry.get("earn"), _l("The points to earn for “%(name)s”", name=name), least=1, most=LIMIT),
        period=_period(entry, name),
        points=whole(entry.get("points") or 0, _l("The points of “%(name)s”", name=name), least=0, most=MOST_POINTS),
        benefit=str(entry.get("benefit") or ""),
        budget=optional(entry.get("budget"), _l("The budget of “%(name)s”", name=name)),
    )
    if made.benefit and not CODE.fullmatch(made.benefit):
        raise InvalidInput(_("“%(name)s”: there is no such benefit.", name=name))
    if not made.points and not made.benefit:
        raise InvalidInput(_("“%(name)s” gives nothing: choose points or a benefit.", name=name))
    return made


def rewards(entries: Mapping[str, Entry], titles: Mapping[str, Any]) -> dict[str, Reward]:
    """Fixed rewards by kind; ``titles`` are the kinds there are, as people know them."""
    found = {}
    for kind, entry in entries.items():
        if kind not in titles:
            raise InvalidInput(_("“%(kind)s” is nothing that points can be given for.", kind=kind[:40]))
        name = titles[kind]
        found[kind] = made = Reward(
            kind=kind,
            points=whole(entry.get("points", 0), _l("The points of “%(name)s”", name=name), least=0, most=MOST_POINTS),
            caps=caps(entry, name),
            budget=optional(entry.get("budget"), _l("The budget of “%(name)s”", name=name)),
        )
        tightest = min((getattr(made.caps, cap) for cap in made.caps.periods), default=made.points)
        if tightest < made.points:
            raise InvalidInput(
                _("“%(name)s” brings %(points)s points, but its cap is %(cap)s.", name=name, points=made.points,
                  cap=tightest)
            )  # fmt: skip
    return found


def caps(entry: Entry, name: object) -> Caps:
    """Read ``{"purchase": 500, "day": 1000}``. Raises where a cap could never be reached because of a tighter one."""
    made = {each: optional(entry.get(each), _l("The cap of “%(name)s”", name=name)) for each in CAPS}
    order = [(each, most) for each, most in made.items() if most is not None]
    for (_near, tight), (_far, wide) in pairwise(order):
        if wide < tight:
            raise InvalidInput(
                _(
                    "The caps of “%(name)s” contradict each other: %(tight)s could never be reached where at most"
                    " %(wide)s count over the longer time.",
                    name=name,
                    tight=tight,
                    wide=wide,
                )
            )
    return Caps(**made)


def _codes_differ(entries: Sequence[Entry]) -> None:
    for code, times in Counter(entry["code"] for entry in entries).items():
        if times > 1:
            raise InvalidInput(_("The code “%(code)s” is used twice.", code=code))
