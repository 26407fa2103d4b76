"""The same done to many products at once: what it would change, what it cannot, and then the doing, once."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from flask_babel import gettext as _

from app.foundation.actors import Actor
from app.foundation.database import insert_new
from app.foundation.errors import DomainError, InvalidInput
from app.foundation.formats import moment
from app.foundation.languages import translated
from app.foundation.money import Money
from app.foundation.points import Points
from app.mall.catalog import actions
from app.mall.catalog.limits import lock_products
from app.mall.catalog.models import Product
from app.mall.catalog.office import Choices, status_badge
from app.mall.catalog.queries import ways_of
from app.mall.catalog.rules import MOST_CASH, MOST_POINTS, Way
from app.mall.catalog.sheets.drafts import draft_of
from app.mall.catalog.sheets.models import BulkChange
from app.mall.catalog.statements import full
from app.mall.catalog.typed import plain_digits

MOST_SELECTED = 300
LIST, SCHEDULE, ARCHIVE, MOVE, PRICE = "list", "schedule", "archive", "move", "price"
PARTS = ("both", "points", "cash")  # Of a price, that a percentage changes.
_PERCENT = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,2})?%?")
LEAST_PERCENT, MOST_PERCENT = -90, 900


def bulk_actions() -> list[tuple[str, str]]:
    return [
        (LIST, _("List now")),
        (SCHEDULE, _("List from a moment on")),
        (ARCHIVE, _("Take off the mall")),
        (MOVE, _("Move to another category")),
        (PRICE, _("Change prices by percent")),
        ("export", _("Export")),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What shall be done; which of the others counts depends on the ``action``. ``percent`` is in hundredths."""

    action: str
    at: datetime | None = None
    category_id: int | None = None
    percent: int = 0
    part: str = "both"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a wish means for one product: ``before`` → ``after``, or why it cannot be done."""

    product: Product
    before: Sequence[str] = ()
    after: Sequence[str] = ()
    refusal: str = ""
    ways: Sequence[Way] = ()


class SelectionChanged(DomainError):
    """What would happen now is not what was shown."""

    def __init__(self) -> None:
        super().__init__(
            _("Some of these products changed meanwhile. Nothing was done yet: look at the list below once more.")
        )


def percent_of(text: str) -> int:
    """``-12.5`` → -1250. Raises ``InvalidInput``."""
    typed = plain_digits(text).replace("−", "-")
    if not _PERCENT.fullmatch(typed):
        raise InvalidInput(_("Please write a percentage such as -10 or 12.5."))
    percent = Decimal(typed.removesuffix("%"))
    if not LEAST_PERCENT <= percent <= MOST_PERCENT or not percent:
        raise InvalidInput(
            _("Please write a percentage from %(least)s to %(most)s, and not 0.",
              least=LEAST_PERCENT, most=MOST_PERCENT)
        )  # fmt: skip
    return int(percent * 100)


# --- what would happen --------------------------------------------------------------------


def outcomes(products: Sequence[Product], wish: Wish, names: Choices, *, now: datetime) -> list[Outcome]:
    judge: Callable[[Product, Wish, Choices, datetime], Outcome] = {
        LIST: _listed,
        SCHEDULE: _listed,
        ARCHIVE: _archived,
        MOVE: _moved,
        PRICE: _priced,
    }[wish.action]
    return [judge(product, wish, names, now) for product in products]


def seal(wish: Wish, found: Sequence[Outcome]) -> str:
    """Stands for everything that the page showed."""
    told = [[each.product.slug, each.product.revision, each.product.status, *each.before, "→", *each.after]
            for each in found if not each.refusal]  # fmt: skip
    about = [wish.action, wish.at.isoformat() if wish.at else "", wish.category_id, wish.percent, wish.part]
    return hashlib.sha256(json.dumps([about, sorted(told)]).encode()).hexdigest()


def _listed(product: Product, wish: Wish, _names: Choices, now: datetime) -> Outcome:
    if not any(variant.active for variant in product.variants):
        return Outcome(product, refusal=_("No variant is on sale."))
    if product.status == "listed" and product.listed_at and product.listed_at <= now:
        return Outcome(product, refusal=_("Members see it already."))
    if wish.at is not None and product.status == "listed" and product.listed_at == wish.at:
        return Outcome(product, refusal=_("It is listed from that moment on already."))
    before = status_badge(product.status)[0]
    if product.status == "listed" and product.listed_at:
        before = _("Listed from %(moment)s", moment=moment(product.listed_at))
    after = _("Listed from %(moment)s", moment=moment(wish.at)) if wish.at else status_badge("listed")[0]
    return Outcome(product, [before], [after])


def _archived(product: Product, _wish: Wish, _names: Choices, _now: datetime) -> Outcome:
    if product.status != "listed":
        return Outcome(product, refusal=_("It is not in the mall."))
    return Outcome(product, [status_badge("listed")[0]], [status_badge("archived")[0]])


def _moved(product: Product, wish: Wish, names: Choices, _now: datetime) -> Outcome:
    if product.category_id == wish.category_id:
        return Outcome(product, refusal=_("It stands there already."))
    return Outcome(product, [names.name("category", product.category_id)], [names.name("category", wish.category_id)])


def _priced(product: Product, wish: Wish, _names: Choices, _now: datetime) -> Outcome:
    ways = list(ways_of(product).values())
    changed = [_way_changed(way, wish) for way in ways]
    if any(
        (way.points and not new.points) or (way.cash and not new.cash) for way, new in zip(ways, changed, strict=True)
    ):
        return Outcome(product, refusal=_("A part of its price would round to nothing."))
    if any(int(way.points) > MOST_POINTS or way.cash.amount > MOST_CASH for way in changed):
        return Outcome(product, refusal=_("Its price would become absurdly high."))
    new = list(dict.fromkeys(changed))  # Two that round to the same are one.
    if new == ways:
        return Outcome(product, refusal=_("Its price stays the same, rounded."))
    return Outcome(product, [full(way) for way in ways], [full(way) for way in new], ways=new)


def _way_changed(way: Way, wish: Wish) -> Way:
    points = _by_percent(int(way.points), wish.percent) if wish.part != "cash" else int(way.points)
    cash = _by_percent(way.cash.amount, wish.percent) if wish.part != "points" else way.cash.amount
    return Way(Points(points), Money(cash, way.cash.currency))


def _by_percent(amount: int, percent: int) -> int:
    """Rounded to the nearest whole, halves up."""
    return (amount * (10_000 + percent) * 2 + 10_000) // 20_000


# --- doing it -----------------------------------------------------------------------------


def carry_out(
    *, found: Sequence[Outcome], wish: Wish, shown: str, key: str, staff_id: int, by: Actor, now: datetime
) -> int | None:
    """Do what was ``shown`` (its seal), all of it. How many products; ``None`` where this ``key`` did it before.

    Raises ``SelectionChanged`` where something else would happen by now, and ``ProductChanged``.
    """
    possible = sorted((each for each in found if not each.refusal), key=lambda each: each.product.id)
    row = {"key": key, "staff_id": staff_id, "action": wish.action, "products": len(possible), "at": now}
    if not insert_new(BulkChange, [row], unless=["key"], returning=[BulkChange.id]):
        return None
    if seal(wish, found) != shown:
        raise SelectionChanged
    lock_products(product_ids=[each.product.id for each in possible])
    for each in possible:
        _do(each, wish, by, now)
    return len(possible)


def _do(each: Outcome, wish: Wish, by: Actor, now: datetime) -> None:
    product = each.product
    if wish.action in (LIST, SCHEDULE):
        actions.list_product(product=product, at=wish.at, by=by, now=now)
    elif wish.action == ARCHIVE:
        actions.archive_product(product=product, by=by, now=now)
    else:
        draft = draft_of(product)
        if wish.action == MOVE:
            assert wish.category_id is not None
            draft = replace(draft, category_id=wish.category_id)
        else:
            draft = replace(draft, ways=each.ways)
        actions.update_product(product=product, draft=draft, revision=product.revision, by=by, now=now)


def name_of(outcome: Outcome) -> str:
    return translated(outcome.product.name)
