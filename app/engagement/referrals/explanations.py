"""How the points for an invitation read in the points history. They name nobody: a history outlives a friendship."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.foundation.formats import short_money
from app.foundation.money import Money
from app.loyalty.ledger.explanations import Facts, explanation, kind_label, sentence, step

kind_label("referral", _l("Invitation"))


def why(role: str, *, referral_id: int, least_spend: int, currency: str, days: int, place: int) -> dict[str, Any]:
    """``role`` is ``inviter`` or ``friend``; only the inviter has a ``place`` in the month."""
    spend = step("referral.spend", amount=least_spend, currency=currency, days=days)
    steps = [spend, step("referral.place", place=place)] if role == "inviter" else [spend]
    return explanation(f"referral.{role}", steps=steps, referral=referral_id)


@sentence("referral.inviter")
def _inviter(_facts: Facts) -> str:
    return _("A friend whom you invited has joined and shopped.")


@sentence("referral.friend")
def _friend(_facts: Facts) -> str:
    return _("You joined by a friend’s invitation and have shopped.")


@sentence("referral.spend")
def _spend(facts: Facts) -> str:
    return ngettext(
        "It counts once purchases come to %(amount)s within %(num)s day of joining.",
        "It counts once purchases come to %(amount)s within %(num)s days of joining.",
        facts["days"],
        amount=short_money(Money(facts["amount"], facts["currency"])),
    )


@sentence("referral.place")
def _place(facts: Facts) -> str:
    return _("This was invitation number %(place)s of the month.", place=facts["place"])
