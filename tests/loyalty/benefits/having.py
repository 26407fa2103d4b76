"""Short ways to a programme with benefits."""

from __future__ import annotations

from typing import Any

from app.foundation.actors import SYSTEM
from app.foundation.database import transaction
from app.foundation.terms import change, current
from app.loyalty.benefits.actions import install_defaults
from app.loyalty.benefits.terms import BenefitTerms
from app.loyalty.tiers import actions as tiers
from tests.conftest import NOON

VIP_PRICE = {"code": "vip", "kind": "discount", "name": {"en": "VIP price"}, "value": 30, "tags": ["vip"]}


def defaults() -> None:
    """What ``flask setup`` installs."""
    with transaction():
        tiers.install_defaults()
        install_defaults(now=NOON)


def entry(kind: str, code: str | None = None, /, **fields: Any) -> dict[str, Any]:
    return {"code": code or kind.replace("_", "-"), "kind": kind, "name": {"en": kind.title()}} | fields


def offer(*entries: dict[str, Any], now: Any = NOON, **values: Any) -> None:
    """A programme with these benefits and no others, from now on."""
    with transaction():
        before = current(BenefitTerms)
        kept = {
            "birthday_days_before": before.birthday_days_before,
            "birthday_days_after": before.birthday_days_after,
        }
        change(BenefitTerms, {**kept, "benefits": list(entries), **values}, by=SYSTEM, now=now)
