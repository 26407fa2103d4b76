"""What happens to orders when nobody does anything.

Each job selects what is due, then takes one transaction per order: an order that fails
is logged and does not hold up the others, and a job that was interrupted just runs again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain

from app.foundation.actors import SYSTEM
from app.foundation.database import transaction
from app.foundation.jobs import periodic
from app.foundation.terms import current
from app.loyalty.benefits.queries import Received, extra_return_days
from app.mall.orders import actions, queries
from app.mall.orders.states import StepRefused
from app.mall.orders.terms import OrderTerms
from app.mall.slots.queries import ahead_of

log = logging.getLogger(__name__)
BATCH = 500


@periodic("close-unpaid", minute="*")
def close_unpaid(*, now: datetime) -> int:
    """Close orders that were not paid in time. Returns how many."""
    due = queries.unpaid_since(now, limit=BATCH)
    return _one_by_one(due, lambda order_id: actions.close_unpaid(order_id=order_id, now=now))


@periodic("take-as-received", minute="7")
def take_as_received(*, now: datetime) -> int:
    """Parcels shipped long ago, and services paid long ago, count as received. Returns how many."""
    terms = current(OrderTerms)
    arrived = _resting("shipped", now - timedelta(days=terms.arrives_after_days), parcel=True)
    paid = _resting("paid", now - timedelta(days=terms.served_after_days), parcel=False)
    served = (_without_those_ahead(batch, now) for batch in paid)
    return sum(_one_by_one(batch, lambda order_id: _receive(order_id, now)) for batch in chain(arrived, served))


@periodic("complete-orders", minute="17")
def complete_orders(*, now: datetime) -> int:
    """Complete what was received and not returned within the window. Returns how many."""
    days = current(OrderTerms).return_window_days
    due = (_over(batch, days, now) for batch in _resting("delivered", now - timedelta(days=days)))
    return sum(_one_by_one(batch, lambda order_id: _complete(order_id, now)) for batch in due)


@periodic("serve-waiting", minute="*/5")
def serve_waiting(*, now: datetime) -> int:
    """Codes and grants for paid orders that could not have them at once. Returns how many wait for nothing any more."""
    served, last = 0, 0
    while batch := queries.waiting(after=last, limit=BATCH):
        served += _one_by_one(batch, lambda order_id: actions.serve_waiting(order_id=order_id, now=now))
        last = batch[-1]
    return served


def _over(order_ids: Sequence[int], days: int, now: datetime) -> list[int]:
    """Those whose window has ended: it is longer by the benefits that the member had when the order was received."""
    received = queries.arrivals(order_ids)
    longer = extra_return_days([Received(each.member_id, each.unit_id, each.at) for each in received])
    return [
        each.order_id
        for each, more in zip(received, longer, strict=True)
        if each.at + timedelta(days=days + more) <= now
    ]


def _without_those_ahead(order_ids: Sequence[int], now: datetime) -> list[int]:
    """Those that do not wait for a booked time: however far ahead, it is not over because it was paid long ago."""
    lines = queries.service_lines(order_ids)
    waiting = {lines[line_id] for line_id in ahead_of(lines, now=now)}
    return [order_id for order_id in order_ids if order_id not in waiting]


def _receive(order_id: int, now: datetime) -> bool:
    actions.confirm_delivery(order_id=order_id, by=SYSTEM, now=now)
    return True


def _complete(order_id: int, now: datetime) -> bool:
    actions.complete(order_id=order_id, now=now)
    return True


def _resting(state: str, moment: datetime, *, parcel: bool | None = None) -> Iterator[Sequence[int]]:
    last = 0
    while batch := queries.resting_since(state, moment, parcel=parcel, after=last, limit=BATCH):
        yield batch
        last = batch[-1]


def _one_by_one(order_ids: Sequence[int], act: Callable[[int], bool]) -> int:
    done = 0
    for order_id in order_ids:
        try:
            with transaction():
                done += act(order_id)
        except StepRefused as refusal:  # Somebody was quicker. An order that is refused again and again hangs.
            log.warning("order %s did not take its step: %s", order_id, refusal)
        except Exception:  # One broken order must not keep the others waiting; tomorrow's log shows it again.
            log.exception("order %s could not take its step", order_id)
    return done
