"""What new terms for invitations would bring, and when, for whoever is about to publish them."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import ngettext

from app.engagement.referrals.terms import ReferralTerms
from app.foundation.formats import points, short_money
from app.foundation.money import Money, minor_units, programme_currency
from app.foundation.screens.terms_registry import Effect, preview


@preview(ReferralTerms)
def an_invitation(in_force: ReferralTerms, draft: ReferralTerms) -> Sequence[Effect]:
    """What it brings to both, what the friend has to do, when the points come, and the most of a month."""
    both = (in_force, draft)
    return [
        Effect(_("For the inviter"), *(_points(each.inviter_points) for each in both)),
        Effect(_("For the friend"), *(_points(each.friend_points) for each in both)),
        Effect(_("What the friend has to do"), *(_condition(each) for each in both)),
        Effect(_("When the points come"), *(_wait(each) for each in both)),
        Effect(
            _("The most for one inviter in a month"),
            *(_points(each.monthly_cap * each.inviter_points) for each in both),
        ),
    ]


def _condition(terms: ReferralTerms) -> str:
    currency = programme_currency()
    spent = short_money(Money(terms.least_spend * minor_units(currency), currency))
    return ngettext(
        "spend %(money)s within %(num)s day", "spend %(money)s within %(num)s days", terms.within_days, money=spent
    )


def _wait(terms: ReferralTerms) -> str:
    if not terms.wait_days:
        return _("at once")
    return ngettext("%(num)s day after the purchase", "%(num)s days after the purchase", terms.wait_days)


def _points(number: int) -> str:
    return ngettext("%(amount)s point", "%(amount)s points", number, amount=points(number))
