"""Who collects cash for us: one small protocol, and a registry chosen by configuration.

A gateway is spoken to with plain values and with no transaction open. Every call may be repeated
with the same reference or key; the second call changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from flask import current_app
from flask_babel import gettext as _

from app.foundation.errors import DomainError
from app.foundation.money import Money

RefundState = Literal["pending", "done", "failed"]


class GatewayUnavailable(DomainError):
    """Cash cannot be collected at the moment. Nothing was charged. It is worth trying again."""

    status = 503

    def __init__(self) -> None:
        super().__init__(_("Cash cannot be paid here at the moment. Nothing was charged; please try again later."))


class GatewayRefused(DomainError):
    """The gateway has understood and will not do it. ``reason`` is its own, for the log and for colleagues."""

    status = 502

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(_("The payment service did not accept this. Nothing was charged; please try again."))


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Give ``amount`` of a payment back. ``key`` names the business fact, ``tries`` how often it was refused before."""

    reference: str
    intent_id: str | None
    key: str
    tries: int
    number: str | None
    amount: Money


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    """How a refund stands. ``number`` is the gateway's name for it."""

    number: str
    state: RefundState
    error: str | None = None


class Gateway(Protocol):
    def least(self, currency: str) -> Money:
        """The smallest amount that can be collected."""

    def collects(self, amount: Money) -> bool:
        """Can this amount be collected at all?"""

    def open_payment(self, *, reference: str, amount: Money, description: str, return_url: str, cancel_url: str) -> str:
        """Begin to collect ``amount``; returns where to send the person: the gateway's page, or ``return_url`` where
        there is nothing left to pay. Raises ``GatewayUnavailable`` or ``GatewayRefused``."""

    def close_payment(self, *, reference: str) -> None:
        """Nobody shall pay any more. What was paid meanwhile is recorded. Raises ``GatewayUnavailable``."""

    def look(self, *, reference: str) -> None:
        """Ask how an attempt stands and record what came out. Raises ``GatewayUnavailable``."""

    def refund(self, order: RefundOrder) -> RefundAnswer:
        """Give money back, or say how a refund stands that was given before.

        Raises ``GatewayUnavailable`` when nobody knows whether it happened, and ``GatewayRefused`` when it did not.
        """


_makers: dict[str, Callable[[], Gateway]] = {}


def gateway(name: str) -> Callable[[Callable[[], Gateway]], Callable[[], Gateway]]:
    """Register a gateway under the name that ``JIFEN_PAYMENT_GATEWAY`` uses."""

    def register(make: Callable[[], Gateway]) -> Callable[[], Gateway]:
        _makers[name] = make
        return make

    return register


def configured() -> str | None:
    """The name of the gateway in use; ``None`` where the shop takes no cash."""
    name: str = current_app.config["SETTINGS"].payment_gateway
    return name if name in _makers else None


def named(name: str) -> Gateway:
    """The gateway of an existing payment. Raises ``GatewayUnavailable`` if it is not part of this installation."""
    if name not in _makers:
        raise GatewayUnavailable
    return _makers[name]()


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a gateway is told, as plain values that outlive the transaction."""

    gateway: str
    reference: str
    amount: Money

    def ask(self, *, description: str, return_url: str, cancel_url: str) -> str:
        """Where to send the person to pay. Speaks to the gateway: call it with no transaction open."""
        return named(self.gateway).open_payment(
            reference=self.reference,
            amount=self.amount,
            description=description,
            return_url=return_url,
            cancel_url=cancel_url,
        )

    def look(self) -> None:
        """Ask the gateway how it stands, and record the answer. Call it with no transaction open."""
        named(self.gateway).look(reference=self.reference)


@dataclass(frozen=True, slots=True)
class Doubt:
    """An attempt of which the gateway has not said its last word."""

    gateway: str
    reference: str
    state: str
    opened_at: datetime
