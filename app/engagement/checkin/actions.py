"""The daily check-in, and making up for a missed one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from app.engagement.checkin import cards, explanations, queries, rules
from app.engagement.checkin.errors import CardPriceChanged, NoCardLeft
from app.engagement.checkin.events import CheckedIn
from app.engagement.checkin.models import CheckIn
from app.engagement.checkin.terms import CheckinTerms
from app.foundation import clock
from app.foundation.database import insert_new
from app.foundation.events import publish
from app.foundation.points import Points
from app.foundation.terms import current
from app.loyalty.ledger import actions as ledger
from app.loyalty.ledger.explanations import lives


@dataclass(frozen=True, slots=True)
class TodaysCheckIn:
    """``created`` is false when the day had been checked in before, which is no error and pays nothing again."""

    day: date
    points: Points
    streak: int
    created: bool


def check_in(*, member_id: int, now: datetime) -> TodaysCheckIn:
    """Check the member in for today's date in the programme's timezone, and award it, once.

    Publishes ``CheckedIn``, unless the day was done before. Of two clicks at the same moment
    the second one waits at the unique constraint and then finds the day done.
    """
    day = clock.local_date(now, clock.programme_zone())
    terms = current(CheckinTerms)
    table, expiry = terms.table, terms.expiry
    days = queries.days_of(member_id)
    streak = rules.streak(days.keys() | {day}, day)
    points = rules.reward(streak, table)
    inserted = insert_new(
        CheckIn,
        [{"member_id": member_id, "day": day, "points": points, "at": now}],
        unless=["member_id", "day"],
        returning=[CheckIn.id],
    )
    if not inserted:
        paid = queries.days_of(member_id)[day]
        return TodaysCheckIn(day, Points(paid), streak, created=False)
    bonus = rules.next_bonus(streak + 1, table)
    ledger.award(
        member_id=member_id,
        amount=Points(points),
        key=f"checkin:{member_id}:{day}",
        kind="checkin",
        explanation=explanations.for_check_in(
            day=day,
            streak=streak,
            made_up=rules.made_up_in(days, day, streak),
            place=rules.place_in_cycle(streak, table),
            days=len(table),
            base=rules.base(table),
            reward=points,
            next_bonus=rules.place_in_cycle(bonus, table) if bonus else None,
            life=lives(expiry, now) if expiry else None,
        ),
        expiry=expiry,
        occurred_at=now,
        now=now,
    )
    publish(CheckedIn(member_id, day, now))
    return TodaysCheckIn(day, Points(points), streak, created=True)


@dataclass(frozen=True, slots=True)
class MadeUpDay:
    """``streak`` is the one up to today. ``created`` is false when the member had the day already."""

    day: date
    streak: int
    created: bool


def make_up(*, member_id: int, day: date, since: date, price: Points, now: datetime) -> MadeUpDay:
    """Buy a make-up card for a missed day: it counts for the streak from now on, and neither it nor any other day
    is paid for again.

    ``since`` is the day on which the member joined, ``price`` what the member was told. Raises ``CannotMakeUp``,
    ``NoCardLeft``, ``CardPriceChanged``, and what ``ledger.spend`` raises.
    """
    terms, today = current(CheckinTerms), clock.local_date(now, clock.programme_zone())
    # Of several clicks at the same moment each waits at its card for the one before it. Whoever then finds the day
    # or the number of the card taken looks again; that can happen as often as there are cards.
    for _attempt in range(terms.cards_a_month + 1):
        days = queries.days_of(member_id)
        if day in days:
            return MadeUpDay(day, rules.streak(days, today), created=False)
        offer = cards.offer(day, days, today=today, since=since, terms=terms)
        if price != Points(offer.price):
            raise CardPriceChanged(old=price.value, new=offer.price)
        if _use_card(member_id, offer, now=now):
            break
    else:
        raise NoCardLeft(terms.cards_a_month)
    ledger.spend(
        member_id=member_id,
        amount=price,
        key=f"make_up_card:{member_id}:{day}",
        kind=explanations.CARD,
        explanation=explanations.for_card(day=day, number=offer.number, most=offer.most),
        now=now,
    )
    return MadeUpDay(day, offer.after, created=True)


def _use_card(member_id: int, offer: cards.Offer, *, now: datetime) -> bool:
    card = f"{offer.day:%Y-%m}/{offer.number}"
    row = {"member_id": member_id, "day": offer.day, "points": 0, "card": card, "at": now}
    return bool(insert_new(CheckIn, [row], unless=[], returning=[CheckIn.id]))
