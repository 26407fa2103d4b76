"""Verbs of payments. An attempt is opened and settled once; what was paid is given back in one or several parts."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation import audit, events, outbox
from app.foundation.actors import SYSTEM, Actor
from app.foundation.database import LockOrder, db, insert_new, lock
from app.foundation.errors import InvalidInput, NotFound
from app.foundation.money import Money
from app.mall.payments import gateways
from app.mall.payments.errors import NotCollectable, RefundDiffers, RefundTooLarge
from app.mall.payments.events import Outcome, PaymentReported, RefundSettled
from app.mall.payments.gateways import Attempt, RefundAnswer
from app.mall.payments.models import Payment, Refund
from app.mall.payments.rules import session_ends

REFUND = "refund"
CLOSE = "close-payment"
PAUSE = timedelta(seconds=8)  # Between two questions about one payment while somebody waits for the answer.
Reason = Literal["late", "return", "staff"]
# A refund only ever moves forward: what was asked for earlier may be answered later.
_RANK = {"asked": 0, "pending": 1, "done": 2, "failed": 3}

audit.describe("payment", _l("Payment"), {"payment.refund": _l("Payment refunded")})


# --- collecting -----------------------------------------------------------------------------


def refuse_uncollectable(amount: Money) -> None:
    """Raises ``GatewayUnavailable`` where the shop takes no cash, ``NotCollectable`` for an amount nobody takes."""
    name = gateways.configured()
    if name is None:
        raise gateways.GatewayUnavailable
    gateway = gateways.named(name)
    if not gateway.collects(amount):
        raise NotCollectable(amount, gateway.least(amount.currency))


def open_attempt(*, order_id: int, amount: Money, pay_by: datetime, now: datetime) -> Attempt:
    """An attempt to collect ``amount``; the one that is still open if there is one, so a double click opens one.

    The caller has locked the order. Raises ``GatewayUnavailable`` where the shop takes no cash.
    """
    refuse_uncollectable(amount)
    gateway = str(gateways.configured())
    wanted = (Payment.order_id == order_id, Payment.gateway == gateway, Payment.state == "open")
    payment = db.session.scalar(
        lock(LockOrder.PAYMENT, sa.select(Payment).where(*wanted).order_by(Payment.id).limit(1))
    )
    if payment is None:
        payment = Payment(
            order_id=order_id,
            gateway=gateway,
            reference=secrets.token_urlsafe(24),
            state="open",
            amount=amount.amount,
            currency=amount.currency,
            opened_at=now,
            expires_at=session_ends(opened_at=now, pay_by=pay_by),
        )
        db.session.add(payment)
        db.session.flush()
    return Attempt(payment.gateway, payment.reference, payment.money)


def ask_about(*, order_id: int, now: datetime) -> Attempt | None:
    """The attempt that a member has just come back from, to be looked at after the commit; ``None`` if there is none,
    or if the gateway was asked about it a moment ago."""
    rested = sa.or_(Payment.asked_at.is_(None), Payment.asked_at < now - PAUSE)
    payment = db.session.scalar(
        lock(
            LockOrder.PAYMENT,
            sa.select(Payment)
            .where(Payment.order_id == order_id, Payment.state == "open", rested)
            .order_by(Payment.id.desc())
            .limit(1),
        )
    )
    if payment is None:
        return None
    payment.asked_at = now
    return Attempt(payment.gateway, payment.reference, payment.money)


def record_outcome(*, gateway: str, reference: str, outcome: Outcome, now: datetime) -> None:
    """A gateway says how an attempt ended. Saying it twice changes nothing. Raises ``NotFound``.

    Takes no lock itself: the order, which is locked first, belongs to the room above.
    """
    found = db.session.execute(
        sa.select(Payment.id, Payment.order_id).where(Payment.gateway == gateway, Payment.reference == reference)
    ).one_or_none()
    if found is None:
        raise NotFound(_("There is no such payment."))
    events.publish(PaymentReported(found.id, found.order_id, outcome, now))


def settle(*, payment_id: int, outcome: Outcome, now: datetime) -> bool:
    """Write an outcome down. ``True`` if cash arrived that was not known before. The caller has locked the order."""
    payment = _locked(payment_id)
    if outcome == "failed":
        if payment.state == "open":
            payment.state, payment.settled_at = "failed", now
        return False
    if payment.state not in ("open", "failed"):
        return False  # The gateway repeats itself.
    payment.state, payment.settled_at = "paid", now
    db.session.flush()
    return True


def give_up(*, order_id: int, now: datetime) -> None:
    """The order ended or was paid otherwise: its open attempts have failed, and their pages are closed through the
    outbox. The caller has locked the order."""
    attempts = sa.select(Payment).where(Payment.order_id == order_id, Payment.state == "open").order_by(Payment.id)
    for payment in db.session.scalars(lock(LockOrder.PAYMENT, attempts)):
        payment.state, payment.settled_at = "failed", now
        outbox.put(CLOSE, {"payment_id": payment.id}, now=now)


# --- giving back ----------------------------------------------------------------------------


def refund(*, payment_id: int, amount: Money, key: str, reason: Reason, by: Actor, now: datetime) -> Refund:
    """Promise to give ``amount`` back; the gateway is spoken to after the commit, through the outbox.

    ``key`` names the business fact: the same key again returns the refund it made. Raises ``RefundTooLarge``,
    ``RefundDiffers`` or ``InvalidInput``. Locks the payment: an order is locked before.
    """
    payment = _locked(payment_id)
    if known := db.session.scalar(sa.select(Refund).where(Refund.key == key)):
        if (known.payment_id, known.amount) != (payment.id, amount.amount):
            raise RefundDiffers
        return known
    if amount.currency != payment.currency or amount.amount <= 0:
        raise InvalidInput(_("This amount cannot be paid back. Nothing was changed."))
    if payment.refundable < amount:
        raise RefundTooLarge(payment.refundable)
    made = _promise(payment, amount.amount, key=key, reason=reason, by=by.label, state="asked", now=now)
    if by.kind == "staff":
        audit.record(
            "payment.refund",
            subject=("payment", payment.reference, payment.reference),
            by=by,
            now=now,
            after={"amount": str(amount), "key": key},
        )
    outbox.put(REFUND, {"refund_id": made.id}, now=now)
    return made


def refund_rest(*, payment_id: int, now: datetime) -> None:
    """Cash that no order waits for: all of it goes back."""
    payment = _locked(payment_id)
    refund(
        payment_id=payment.id,
        amount=payment.refundable,
        key=f"late:{payment.reference}",
        reason="late",
        by=SYSTEM,
        now=now,
    )


def record_refund(*, refund_id: int, answer: RefundAnswer, now: datetime) -> None:
    """What the gateway says of a refund. Repeated or outdated answers change nothing."""
    payment_id = db.session.scalars(sa.select(Refund.payment_id).where(Refund.id == refund_id)).one()
    payment = _locked(payment_id)
    found = db.session.scalars(lock(LockOrder.PAYMENT, sa.select(Refund).where(Refund.id == refund_id))).one()
    if _RANK[answer.state] > _RANK[found.state]:
        _move(payment, found, answer.state, now=now)
        found.error = answer.error
    found.number = found.number or answer.number
    db.session.flush()


def refuse_refund(*, refund_id: int, tries: int, error: str) -> None:
    """The gateway did not do it. The next try is another request, so its idempotency key is another one."""
    mine = sa.update(Refund).where(Refund.id == refund_id, Refund.tries == tries, Refund.state == "asked")
    db.session.execute(mine.values(tries=tries + 1, error=error))


def adopt_refund(*, gateway: str, reference: str, answer: RefundAnswer, amount: Money, now: datetime) -> None:
    """The gateway gave money back that we had not asked for, by a colleague's hand on its own pages.

    A refund of ours of the same amount that it has not taken yet is taken for that one. Raises ``NotFound``.
    """
    payment = db.session.scalar(
        lock(LockOrder.PAYMENT, sa.select(Payment).where(Payment.gateway == gateway, Payment.reference == reference))
    )
    if payment is None:
        raise NotFound(_("There is no such payment."))
    known = sa.select(Refund).where(Refund.payment_id == payment.id, Refund.number == answer.number)
    found = db.session.scalar(known)
    if found is None and payment.refundable < amount:
        waiting = sa.select(Refund).where(
            Refund.payment_id == payment.id,
            Refund.state == "asked",
            Refund.number.is_(None),
            Refund.amount == amount.amount,
        )
        found = db.session.scalar(waiting.order_by(Refund.id).limit(1))
        if found is None:
            raise RefundTooLarge(payment.refundable)
    if found is None:
        key = f"{gateway}:{answer.number}"
        found = _promise(payment, amount.amount, key=key, reason="gateway", by=gateway, state="asked", now=now)
    record_refund(refund_id=found.id, answer=answer, now=now)


def _promise(payment: Payment, amount: int, *, key: str, reason: str, by: str, state: str, now: datetime) -> Refund:
    row = {
        "payment_id": payment.id,
        "key": key,
        "amount": amount,
        "reason": reason,
        "state": state,
        "tries": 0,
        "by": by,
        "created_at": now,
    }
    inserted = insert_new(Refund, [row], unless=["key"], returning=[Refund.id])
    if not inserted:
        raise RefundDiffers  # Taken meanwhile, for another payment.
    payment.refund_total = Payment.refund_total + amount
    db.session.flush()
    return db.session.get_one(Refund, inserted[0].id)


def _move(payment: Payment, found: Refund, state: str, *, now: datetime) -> None:
    """The sums of the payment follow the state of the refund, by differences: the constraints judge the real row."""
    was = found.state
    found.state = state
    if state in ("done", "failed"):
        found.settled_at = now
    gone = (state == "done") - (was == "done")
    payment.refunded = Payment.refunded + gone * found.amount
    if state == "failed":
        payment.refund_total = Payment.refund_total - found.amount
    db.session.flush()
    db.session.refresh(payment)
    payment.state = "refunded" if payment.refunded == payment.amount else "paid"
    if gone > 0:
        payment.refunded_at = now
    elif not payment.refunded:
        payment.refunded_at = None
    if state in ("done", "failed"):
        events.publish(RefundSettled(found.id, payment.id, payment.order_id, state, now))  # type: ignore[arg-type]


def _locked(payment_id: int) -> Payment:
    return db.session.scalars(lock(LockOrder.PAYMENT, sa.select(Payment).where(Payment.id == payment_id))).one()


# --- what a gateway's room notes -----------------------------------------------------------------


def note_session(
    *, gateway: str, reference: str, session_id: str | None = None, intent_id: str | None = None
) -> str | None:
    """Keep the gateway's own names. Returns the state of the attempt; ``None`` where there is none."""
    mine = (Payment.gateway == gateway, Payment.reference == reference)
    names = {"session_id": session_id, "intent_id": intent_id}
    values = {name: value for name, value in names.items() if value}
    changed = sa.update(Payment).where(*mine).values(**values or {"gateway": gateway}).returning(Payment.state)
    return db.session.scalar(changed)


def note_asked(*, gateway: str, reference: str, now: datetime) -> None:
    """The gateway is about to be asked about an attempt."""
    mine = sa.update(Payment).where(Payment.gateway == gateway, Payment.reference == reference)
    db.session.execute(mine.values(asked_at=now))


def note_final(*, gateway: str, reference: str, now: datetime) -> None:
    """The gateway has said its last word on an attempt: it is not asked again."""
    mine = sa.update(Payment).where(Payment.gateway == gateway, Payment.reference == reference)
    db.session.execute(mine.where(Payment.final_at.is_(None)).values(final_at=now))


def note_refund_asked(*, refund_id: int, now: datetime) -> None:
    """The gateway is about to be asked for, or about, a refund."""
    db.session.execute(sa.update(Refund).where(Refund.id == refund_id).values(asked_at=now))
