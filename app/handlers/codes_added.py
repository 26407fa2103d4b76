"""A pool has more codes: orders that wait for one have it, the oldest first, each in a transaction of its own.

And what code pools must know of orders, which stand above them: which pieces are ordered and have no code yet.
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

from app.foundation.database import after_commit, transaction
from app.foundation.events import handles
from app.mall.catalog.actions import tie_to_kind
from app.mall.codes.actions import register_asked
from app.mall.codes.events import CodesAdded
from app.mall.codes.queries import KIND
from app.mall.orders import actions as orders
from app.mall.orders.queries import any_open, pieces_asked, waiting_for

log = logging.getLogger(__name__)
AT_ONCE = 100  # Whoever adds codes waits for them; the regular job serves the others.

register_asked(pieces_asked(KIND))
tie_to_kind(any_open)


@handles(CodesAdded)
def serve_those_who_wait(event: CodesAdded) -> None:
    after_commit(partial(_serve, event.variant_id, now=event.at))


def _serve(variant_id: int, *, now: datetime) -> None:
    for order_id in waiting_for(variant_id, limit=AT_ONCE):
        try:
            with transaction():
                orders.serve_waiting(order_id=order_id, now=now)
        except Exception:  # One broken order must not keep the others waiting; the regular job tries again.
            log.exception("order %s could not have its codes", order_id)
