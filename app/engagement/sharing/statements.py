"""How far sharing has come today, in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.formats import points

if TYPE_CHECKING:
    from app.loyalty.earning.queries import Had
    from app.loyalty.earning.rules import Reward


@dataclass(frozen=True, slots=True)
class State:
    """``tone`` colours it; ``worth`` is what the next one brings."""

    text: str
    tone: str
    worth: str


def state_of(rule: Reward, had: Had | None, followers: int) -> State:
    """For the page of one thing, which ``followers`` have opened today."""
    worth = points(rule.points, sign=True)
    today, most = (had.today if had else 0), rule.caps.day
    if followers:
        text = ngettext(
            "%(num)s person followed this link today.", "%(num)s people followed this link today.", followers
        )
        return State(text, "brand", worth)
    if most is not None and today >= most:
        text = _("You have had today’s %(most)s points for sharing. Tomorrow it counts again.", most=points(most))
        return State(text, "info", worth)
    return State(_("Nobody has followed this link today yet."), "neutral", worth)
