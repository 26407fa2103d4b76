"""How a check-in reads in the points history."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.loyalty.ledger.explanations import Facts, kind_label, sentence

kind_label("checkin", _l("Check-in"))


@sentence("checkin.daily")
def _daily(facts: Facts) -> str:
    return ngettext("Checked in.", "Checked in %(num)s days in a row.", facts["streak"])


@sentence("checkin.base")
def _base(facts: Facts) -> str:
    return ngettext("A check-in pays %(num)s point.", "A check-in pays %(num)s points.", facts["points"])


@sentence("checkin.bonus")
def _bonus(facts: Facts) -> str:
    return _(
        "Day %(place)s of %(days)s pays %(multiplier)s times as much: %(points)s points.",
        place=facts["cycle_days"],
        days=facts["cycle_days"],
        multiplier=facts["multiplier"],
        points=facts["points"],
    )


@sentence("checkin.no_bonus")
def _no_bonus(facts: Facts) -> str:
    return _(
        "This was day %(place)s of %(days)s. The last day pays %(multiplier)s times as much.",
        place=facts["place"],
        days=facts["cycle_days"],
        multiplier=facts["multiplier"],
    )
