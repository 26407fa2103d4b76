"""Who collects cash for us: one small protocol, and a registry chosen by configuration.

A gateway is spoken to with plain values and with no transaction open. Both calls may be
repeated with the same reference; the second call changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from flask import current_app
from flask_babel import gettext as _

from app.foundation.errors import DomainError
from app.foundation.money import Money


class GatewayUnavailable(DomainError):
    """Cash cannot be collected at the moment. Nothing was charged."""

    status = 503

    def __init__(self) -> None:
        super().__init__(_("Cash cannot be paid here at the moment. Nothing was charged; please try again later."))


class Gateway(Protocol):
    def open_payment(self, *, reference: str, amount: Money, description: str, return_url: str, cancel_url: str) -> str:
        """Begin to collect ``amount``; returns where to send the person. Raises ``GatewayUnavailable``."""

    def refund(self, *, reference: str, amount: Money) -> None:
        """Give ``amount`` back. Raises ``GatewayUnavailable`` when it should be tried again."""


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
