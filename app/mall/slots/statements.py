"""Times as plain values, as a clock on the wall of the programme's timezone shows them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from babel.dates import format_skeleton
from flask import url_for
from flask_babel import format_time, get_locale, ngettext
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.formats import day as day_text
from app.foundation.languages import translated
from app.mall.slots.errors import NoSuchTime
from app.mall.slots.queries import Booked, Service, Slot
from app.mall.slots.rules import LocalTime, Spell, monday_of

if TYPE_CHECKING:
    from app.mall.slots.models import ServiceSlot

DAYS_SHOWN = 14  # Days with free places that a member sees at once.
FEW = 5
FAR = timedelta(days=180)  # How far ahead members look.


def local_day(moment: datetime) -> date:
    return clock.local_date(moment, clock.programme_zone())


def hours(starts_at: datetime, ends_at: datetime) -> str:
    """``10:00–11:00``; where it ends on another day, that day stands with it."""
    first, last = format_time(starts_at, "short"), format_time(ends_at, "short")
    if local_day(starts_at) == local_day(ends_at - timedelta(microseconds=1)):
        return f"{first}–{last}"
    return f"{first}–{last} ({_weekday(local_day(ends_at), 'EEEd')})"


def whole_time(starts_at: datetime, ends_at: datetime) -> str:
    """``Tue, 16 Jun · 10:00–11:00``"""
    return f"{_weekday(local_day(starts_at), 'EEEMMMd')} · {hours(starts_at, ends_at)}"


def _weekday(day: date, skeleton: str) -> str:
    return format_skeleton(skeleton, datetime(day.year, day.month, day.day), locale=get_locale())  # noqa: DTZ001


def service_name(service: Service) -> str:
    return " · ".join(filter(None, (translated(service.name), translated(service.variant_name))))


# --- for members -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DayShown:
    """A day on which there are free places."""

    label: str
    weekday: str
    number: str
    url: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class TimeShown:
    """A radio button."""

    value: int
    title: str
    text: str
    tone: str
    disabled: bool


def calendar(
    slots: Sequence[Slot], *, url: Callable[..., str], asked: Mapping[str, str], places: int = 1
) -> dict[str, Any]:
    """Days with so many free places, and the times of one of them. ``asked`` are the words of the page's address:
    ``day`` is the one to be shown, ``from`` the first of the strip, and ``slot`` what was marked."""
    days = list(dict.fromkeys(local_day(slot.starts_at) for slot in slots if slot.free >= places))
    wanted, since = _day(asked.get("day")), _day(asked.get("from"))
    start = next((place for place, day in enumerate(days) if since and day >= since), 0)
    shown = days[start : start + DAYS_SHOWN]
    chosen = wanted if wanted in {local_day(slot.starts_at) for slot in slots} else next(iter(shown), None)
    more = days[start + DAYS_SHOWN : start + DAYS_SHOWN + 1]
    here = {"from": shown[0]} if start else {}
    times = [_time_shown(slot, places) for slot in slots if local_day(slot.starts_at) == chosen]
    free = [each.value for each in times if not each.disabled]
    return {
        "days": [_day_shown(day, url(day=day, **here), chosen) for day in shown],
        "times": times,
        "chosen_time": next((each for each in free if str(each) == asked.get("slot")), free[0] if free else None),
        "later_url": url(**{"from": more[0]}) if more else None,
        "first_url": url() if start else None,
    }


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def _day_shown(day: date, url: str, chosen: date | None) -> DayShown:
    return DayShown(
        label=day_text(day, "full"),
        weekday=_weekday(day, "EEE"),
        number=_weekday(day, "MMMd"),
        url=url,
        chosen=day == chosen,
    )


def _time_shown(slot: Slot, places: int) -> TimeShown:
    """The full ones are there, but cannot be chosen."""
    return TimeShown(
        value=slot.id,
        title=hours(slot.starts_at, slot.ends_at),
        text=" · ".join(filter(None, (places_left(slot.free), slot.place))),
        tone="danger" if 0 < slot.free <= FEW else "neutral",
        disabled=slot.free < places,
    )


def places_left(free: int) -> str:
    if not free:
        return _("Fully booked")
    return ngettext("%(num)s place left", "%(num)s places left", free)


# --- for merchants ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SlotShown:
    """A time in a week. ``state`` and ``tone`` say whether it can be booked."""

    url: str
    time: str
    place: str
    booked: str
    state: str | None
    tone: str


@dataclass(frozen=True, slots=True)
class BookedShown:
    """The time of an order, which leads to whoever else has booked it."""

    url: str
    when: str
    place: str


def booked_shown(booked: Booked | None) -> BookedShown | None:
    """Nothing where no time is booked, or not any more."""
    if booked is None or booked.state == "cancelled":
        return None
    url = url_for("backoffice.bookings.show_slot", slot_id=booked.slot_id)
    return BookedShown(url, whole_time(booked.starts_at, booked.ends_at), booked.place)


@dataclass(frozen=True, slots=True)
class WeekdayShown:
    label: str
    today: bool
    slots: list[SlotShown]


def week_shown(slots: Sequence[ServiceSlot], monday: date, *, now: datetime) -> list[WeekdayShown]:
    today = local_day(now)
    days = [monday + timedelta(days=number) for number in range(7)]
    return [
        WeekdayShown(
            label=_weekday(day, "EEEMMMd"),
            today=day == today,
            slots=[slot_shown(slot, now=now) for slot in slots if local_day(slot.starts_at) == day],
        )
        for day in days
    ]


def slot_shown(slot: ServiceSlot, *, now: datetime) -> SlotShown:
    state, tone = state_of(slot, now=now)
    return SlotShown(
        url=url_for("backoffice.bookings.show_slot", slot_id=slot.id),
        time=hours(slot.starts_at, slot.ends_at),
        place=slot.place,
        booked=_("%(taken)s of %(places)s booked", taken=slot.taken, places=slot.places),
        state=state,
        tone=tone,
    )


def state_of(slot: ServiceSlot, *, now: datetime) -> tuple[str | None, str]:
    """(in two words, tone); nothing to say of one that can be booked."""
    if slot.ends_at <= now:
        return _("Over"), "neutral"
    if slot.starts_at <= now:
        return _("Going on now"), "info"
    if slot.closed:
        return _("Closed"), "danger"
    return (None, "brand") if slot.free else (_("Full"), "gold")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A time of a series before it is made. ``problem`` is why it cannot be; ``note`` what should be known of it."""

    name: str
    day: str
    time: str
    problem: str | None
    note: str | None
    kept: bool


def proposals(
    times: Sequence[LocalTime], clashing: Collection[Spell], dropped: Collection[str], *, now: datetime
) -> list[Proposal]:
    return [_proposal(each, clashing, dropped, now=now) for each in times]


def _proposal(each: LocalTime, clashing: Collection[Spell], dropped: Collection[str], *, now: datetime) -> Proposal:
    problem = problem_of(each, clashing, now=now)
    return Proposal(
        name=each.name,
        day=_weekday(each.day, "yMMMEd"),
        time=hours(each.spell.starts_at, each.spell.ends_at) if each.spell else f"{each.at:%H:%M}",
        problem=problem,
        note=twice_text(each) if each.twice and not problem else None,
        kept=not problem and each.name not in dropped,
    )


def problem_of(each: LocalTime, clashing: Collection[Spell], *, now: datetime) -> str | None:
    if each.spell is None:
        return _("Clocks go forward over this time.")
    if each.spell.starts_at <= now:
        return _("This time has passed.")
    return _("Something else is given there then.") if each.spell in clashing else None


def twice_text(each: LocalTime) -> str:
    return _(
        "On %(day)s clocks go back and %(time)s comes twice: this is the first of the two.",
        day=day_text(each.day),
        time=f"{each.at:%H:%M}",
    )


def refuse_missing(each: LocalTime) -> Spell:
    """The moments of a local time. Raises ``NoSuchTime``."""
    if each.spell is None:
        raise NoSuchTime(each.day, each.at)
    return each.spell


def overview(service: Service, following: tuple[datetime, int] | None, unit: dict[str, Any]) -> dict[str, Any]:
    """A service in the list of the back office; it leads to the week of its next time."""
    week = monday_of(local_day(following[0])) if following else None
    return {
        "name": service_name(service),
        "sku": service.sku,
        "url": url_for("backoffice.slots.show", sku=service.sku, week=week),
        "unit": translated(unit),
        "next": whole_moment(following[0]) if following else None,
        "free": following[1] if following else 0,
        "active": service.active,
    }


def whole_moment(moment: datetime) -> str:
    return f"{_weekday(local_day(moment), 'EEEMMMd')} · {format_time(moment, 'short')}"
