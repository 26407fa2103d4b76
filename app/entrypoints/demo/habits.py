"""The third chapter: everyday life. People shop, the tills report it at night; people check in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.engagement.checkin import cards
from app.engagement.checkin.actions import check_in, make_up
from app.engagement.checkin.queries import days_of
from app.engagement.checkin.terms import CheckinTerms
from app.entrypoints.demo.content import money
from app.entrypoints.demo.world import Living, World
from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.points import Points
from app.foundation.terms import current
from app.loyalty.earning import actions as earning

MONTH = 30


@dataclass(frozen=True, slots=True)
class Till:
    """What one shop sells: how receipts are numbered, which categories, from and to how much a receipt comes."""

    prefix: str
    categories: tuple[str, ...]
    least: int
    most: int


TILLS = {
    "bakery": Till("SSC", ("food",), 14, 96),
    "mall": Till("RDS", ("home", "fashion", "beauty", "gadgets", "family"), 49, 860),
    "cinema": Till("ACI", ("entertainment",), 45, 230),
    "travel": Till("DTR", ("travel",), 260, 2600),
    "home": Till("HWS", ("services",), 80, 420),
}
# What somebody spends in a month, at least and at most, in the currency's major unit.
BUDGETS = {
    "diamond": (2200, 3400),
    "gold": (480, 700),
    "alice": (380, 480),
    "silver": (75, 150),
    "regular": (0, 22),
    "newish": (40, 160),
    "imported": (20, 90),
}
# How likely somebody checks in on a day of the last ten weeks.
DAILY = {"diamond": 0.55, "gold": 0.5, "silver": 0.35, "regular": 0.1, "newish": 0.6}
CHECKIN_DAYS = 70

# Large purchases of Alice: days ago, shop, amount. The first has expired in part, the second will soon.
ALICE_EXTRAS = ((421, "travel", 1280), (350, "mall", 1980), (160, "travel", 1460))
ALICE_STREAK = 6  # Today she can make it seven, which pays double.
ALICE_CARD = 35  # Days ago she made up for a day that she had missed.


@dataclass(frozen=True, slots=True)
class Receipt:
    person: Living
    unit: str
    number: str
    at: datetime
    lines: tuple[tuple[str, int], ...]


# --- shopping -----------------------------------------------------------------------------


def note_shopping(world: World) -> None:
    """Every till reports its day at 22:30, all purchases together."""
    by_day: defaultdict[date, list[Receipt]] = defaultdict(list)
    for person in world.members:
        for receipt in _receipts(world, person):
            if person.joins < receipt.at <= world.diary.end:
                by_day[clock.local_date(receipt.at, world.diary.zone)].append(receipt)
    for day, receipts in sorted(by_day.items()):

        def report(now: datetime, receipts: list[Receipt] = receipts) -> None:
            with transaction():
                earning.record_purchases([_report(world, receipt) for receipt in receipts], now=now)

        world.diary.note(min(world.diary.on(day, 22, 30), world.diary.end), report)


def _receipts(world: World, person: Living) -> Iterator[Receipt]:
    if person.habit not in BUDGETS:
        return
    days = (world.diary.end - person.joins).days
    for first in range(days, 0, -MONTH):
        budget = world.random.randint(*BUDGETS[person.habit]) * min(MONTH, first) // MONTH
        for unit, amount in _visits(world, budget):
            yield _receipt(world, person, unit, amount, days_ago=max(0, first - world.random.randint(0, MONTH - 1)))
    if person.habit == "alice":
        for days_ago, unit, amount in ALICE_EXTRAS:
            yield _receipt(world, person, unit, amount, days_ago=days_ago)


def _visits(world: World, budget: int) -> Iterator[tuple[str, int]]:
    """Spend a budget in shops whose receipts it can pay."""
    while affordable := [unit for unit, till in TILLS.items() if till.least <= budget]:
        unit = world.random.choice(affordable)
        till = TILLS[unit]
        amount = world.random.randint(till.least, min(till.most, budget))
        budget -= amount
        yield unit, amount


def _receipt(world: World, person: Living, unit: str, amount: int, *, days_ago: int) -> Receipt:
    till, random = TILLS[unit], world.random
    at = world.diary.at(days_ago, random.randint(10, 20), random.randint(0, 59))
    number = f"{till.prefix}-{clock.local_date(at, world.diary.zone):%y%m%d}-{random.randrange(10**6):06}"
    first = amount if amount < 2 * till.least else random.randint(amount // 3, amount - 1)
    parts = (first, amount - first) if first < amount else (first,)
    cents = random.choice((0, 0, 50, 80, 90))
    lines = tuple((random.choice(till.categories), part * 100 + (cents if not place else 0))
                  for place, part in enumerate(parts))  # fmt: skip
    return Receipt(person, unit, number, at, lines)


def _report(world: World, receipt: Receipt) -> earning.PurchaseReport:
    lines = tuple(
        earning.ReportedLine(
            category=category,
            sku=f"{TILLS[receipt.unit].prefix}-{category.upper()}",
            quantity=1,
            amount=money(f"{hundredths / 100:.2f}", world.currency).amount,
        )
        for category, hundredths in receipt.lines
    )
    return earning.PurchaseReport(
        unit_id=world.units[receipt.unit],
        unit_code=receipt.unit,
        order_no=receipt.number,
        member_id=receipt.person.id,
        occurred_at=receipt.at,
        currency=world.currency,
        source="pos",
        lines=lines,
    )


# --- checking in --------------------------------------------------------------------------


def note_checkins(world: World) -> None:
    """One entry per day; Alice's last days are a streak, and her today is still to come."""
    for days_ago in range(CHECKIN_DAYS, -1, -1):
        morning = world.diary.at(days_ago, 7)
        present = [person for person in world.members if person.joins < morning and _comes(world, person, days_ago)]
        if present:

            def check_in_all(now: datetime, present: list[Living] = present) -> None:
                for place, person in enumerate(present):
                    with transaction():  # One each: a check-in may raise the tier, which is locked after the wallet.
                        check_in(member_id=person.id, now=min(now + timedelta(seconds=37 * place), world.diary.end))

            world.diary.note(morning, check_in_all)
    world.diary.note(world.diary.at(ALICE_CARD, 20, 15), lambda now: _make_up_latest(world, world.members[0], now))


def _make_up_latest(world: World, person: Living, now: datetime) -> None:
    today, since = (clock.local_date(moment, world.diary.zone) for moment in (now, person.joins))
    missed = cards.missed(days_of(person.id), today=today, since=since)
    if missed:
        price = Points(current(CheckinTerms).card_price)
        with transaction():
            make_up(member_id=person.id, day=max(missed), since=since, price=price, now=now)


def _comes(world: World, person: Living, days_ago: int) -> bool:
    if person.habit != "alice":
        return world.random.random() < DAILY.get(person.habit, 0)
    if days_ago <= ALICE_STREAK + 1:
        return 0 < days_ago <= ALICE_STREAK
    return world.random.random() < 0.6
