"""When the services of the story are given: planned where somebody wants a time, and at its end for weeks ahead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from app.entrypoints.demo.content import Texts
from app.foundation import clock
from app.foundation.database import transaction
from app.mall.slots import actions as slots
from app.mall.slots.queries import Slot, slots_ahead
from app.mall.slots.rules import local_time

if TYPE_CHECKING:
    from app.entrypoints.demo.world import Goods, World

DAILY, WORKDAYS = range(7), range(5)
NOTICE = timedelta(days=1)
WEEK, AHEAD = timedelta(days=7), timedelta(days=15)
EVENING = timedelta(hours=20)


@dataclass(frozen=True, slots=True)
class Plan:
    """``hours`` of the day on these weekdays (Monday is 0), for so many minutes and people."""

    weekdays: range
    hours: tuple[int, ...]
    minutes: int
    places: int
    place: Texts


NOWHERE: Texts = {"en": "", "zh_Hans": ""}  # Colleagues come to the member's home.
PLANS = {
    "HS-CLEAN": Plan(DAILY, (9, 14), 180, 3, NOWHERE),
    "HS-AIRCON": Plan(WORKDAYS, (9, 13, 16), 90, 2, NOWHERE),
    "HS-LAUNDRY": Plan(DAILY, (10, 18), 30, 8, NOWHERE),
    "HS-REPAIR": Plan(range(6), (10, 15), 60, 2, NOWHERE),
    "HS-MASSAGE": Plan(DAILY, (11, 14, 16, 19, 20), 60, 2, NOWHERE),
    "HS-HAIRCUT": Plan(range(1, 7), (10, 14, 17), 45, 3, NOWHERE),
    "HS-YOGA": Plan(range(6, 7), (8,), 75, 12, {"en": "Camphor lawn", "zh_Hans": "香樟草坪"}),
    "DT-HOTEL": Plan(range(4), (15,), 20 * 60, 4, NOWHERE),
    "DT-CAMPING": Plan(range(4, 6), (13,), 22 * 60, 4, {"en": "Lake camp", "zh_Hans": "湖畔营地"}),
    "DT-BEACH": Plan(range(4, 5), (12,), 24 * 60, 2, NOWHERE),
    "AC-HALL": Plan(WORKDAYS, (10, 19), 180, 1, {"en": "Hall 3", "zh_Hans": "3 号厅"}),
    "CB-AFTERNOON": Plan(WORKDAYS, (14, 16), 90, 6, {"en": "Window tables", "zh_Hans": "靠窗座位"}),
    "CB-CLASS": Plan(range(5, 6), (9,), 180, 8, {"en": "Bakery, ground floor", "zh_Hans": "一楼面包房"}),
}


def next_time(world: World, goods: Goods, *, after: datetime, now: datetime) -> Slot | None:
    """A time with a free place that begins after this; planned a week ahead where there is none yet."""
    if found := _free(goods, after, now):
        return found
    plan_ahead(world, goods.sku, goods.variant_id, goods.unit, since=after, until=after + WEEK, now=now)
    return _free(goods, after, now)


def _free(goods: Goods, after: datetime, now: datetime) -> Slot | None:
    there = slots_ahead(goods.variant_id, since=max(after, now), until=after + WEEK)
    return next((slot for slot in there if slot.free), None)


def plan_ahead(
    world: World, sku: str, variant_id: int, unit: str, *, since: datetime, until: datetime, now: datetime
) -> None:
    """Every time of a service between two moments that is not there yet."""
    plan = PLANS.get(sku)
    if plan is None:
        return
    zone = clock.programme_zone()
    first, last = clock.local_date(since, zone), clock.local_date(until, zone)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    there = {slot.starts_at for slot in slots_ahead(variant_id, since=now, until=until + WEEK)}
    times = [local_time(day, time(hour), plan.minutes, zone) for day in days for hour in plan.hours]
    spells = [
        each.spell
        for each in times
        if each.day.weekday() in plan.weekdays and each.spell and each.spell.starts_at > now
        if each.spell.starts_at not in there
    ]
    if not spells:
        return
    with transaction():
        slots.add_times(
            variant_id=variant_id,
            spells=spells,
            places=plan.places,
            place=plan.place[world.locale],
            by=world.fulfiller(unit),
            now=now,
        )


def note_times(world: World, sku: str, variant_id: int, unit: str) -> None:
    """On the evening before the story ends, its merchants look two weeks ahead."""
    moment = world.diary.end - EVENING
    world.diary.note(
        moment, lambda now: plan_ahead(world, sku, variant_id, unit, since=now, until=now + AHEAD, now=now)
    )
