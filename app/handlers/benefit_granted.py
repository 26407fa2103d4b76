"""What the mall sells as a gift of the programme is given here, for the days that the benefits' terms say.

Other benefits are not sold: a price or a multiplier is used without a trace, and could be paid back afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.languages import translated
from app.foundation.terms import current
from app.loyalty.benefits import actions as benefits
from app.loyalty.benefits.queries import GIFTS, BenefitTerms, is_unclaimed
from app.mall.catalog.actions import Grantable, Grantor, register_grantor


def choices() -> Sequence[Grantable]:
    gifts = [benefit for benefit in current(BenefitTerms).all if benefit.kind in GIFTS]
    return [Grantable(gift.code, translated(gift.name)) for gift in gifts]


def give(*, member_id: int, code: str, pieces: int, key: str, now: datetime) -> bool:
    """Each piece is a grant of its own: of two gifts both can be claimed."""
    if code not in {each.code for each in choices()}:
        return False
    reason = _("Bought in the mall")
    gifts = [benefits.Gift(member_id, code, f"{key}:{piece}", reason) for piece in range(1, pieces + 1)]
    benefits.give_by_rule(gifts, now=now)
    return True


def take_back(*, member_id: int, code: str, key: str, now: datetime) -> bool:
    return benefits.take_back_unclaimed(member_id=member_id, key=f"{key}:", now=now)


def unused(*, member_id: int, code: str, key: str) -> bool:
    return is_unclaimed(member_id=member_id, key=f"{key}:")


def link(code: str) -> str:
    return url_for("portal.benefits.index")


register_grantor(
    Grantor(
        kind="coupon",
        label=_l("A gift of the programme"),
        choices=choices,
        give=give,
        take_back=take_back,
        unused=unused,
        link=link,
        invitation=_l("See my benefits"),
    )
)
