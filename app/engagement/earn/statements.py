"""What a way to earn looks like on the "Earn points" page, and who tells of which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from flask_babel import gettext as _

from app.foundation.formats import points
from app.loyalty.earning.queries import Had

if TYPE_CHECKING:
    from app.identity.members.models import Member
    from app.loyalty.earning.rules import Reward


class Bar(NamedTuple):
    """How far somebody has come."""

    value: int
    maximum: int
    label: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to earn: its rule in a sentence, its cap, what is the state of today, and where it is done.

    ``group`` is the part of the page; ``worth`` what one time brings, as ``+30``.
    """

    group: str
    title: str
    rule: str
    worth: str = ""
    cap: str = ""
    state: str = ""
    tone: str = "neutral"
    action: str = ""
    url: str = ""
    picture: str = "coin"
    colour: str = "brand"
    bar: Bar | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom the page is made, and what was looked up for all ways together."""

    member: Member
    now: datetime
    had: Mapping[str, Had]
    rules: Mapping[str, Reward]

    def rule(self, kind: str) -> Reward | None:
        """What the rules in force give for this kind of thing; ``None`` where that is nothing."""
        rule = self.rules.get(kind)
        return rule if rule and rule.points else None

    def had_of(self, kind: str) -> Had:
        return self.had.get(kind) or Had()


Source = Callable[[Reader], list[Way]]
sources: list[Source] = []


def way(source: Source) -> Source:
    """Register who tells of ways to earn; floors above this one do that, too. The order is that of registration."""
    if source not in sources:
        sources.append(source)
    return source


def capped_state(rule: Reward, had: Had) -> tuple[str, str]:
    """``30 of 30 today``, and its tone; empty where nothing was had or there is no cap by the day or the month."""
    for cap, mine in (("day", had.today), ("month", had.month)):
        most = getattr(rule.caps, cap)
        if most is not None and mine:
            figures = {"had": points(mine), "most": points(most)}
            daily, monthly = _("%(had)s of %(most)s today", **figures), _("%(had)s of %(most)s this month", **figures)
            return daily if cap == "day" else monthly, "brand" if mine >= most else "gold"
    return "", "neutral"
