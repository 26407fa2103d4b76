"""What may be asked of the ledger: awards, debits and corrections to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NotRequired, TypedDict

from app.foundation.points import Quantity
from app.loyalty.ledger.rules import ExpiryPolicy


class ByPolicy:
    """Let an expiry policy decide, counted from when the points were earned."""


BY_POLICY: Final = ByPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """A credit to come.

    ``expiry`` is the policy that decides when its points die (default: the programme's), and
    ``lives_from`` the moment from which it counts (default: ``occurred_at``); ``expires_at`` names the moment itself.
    With ``pending`` the amount is on the way until somebody posts it, or until ``deadline``.
    """

    member_id: int
    amount: Quantity
    key: str
    kind: str
    explanation: dict[str, Any]
    occurred_at: datetime
    unit_id: int | None = None
    account: str = "issuance"
    lives_from: datetime | None = None
    expiry: ExpiryPolicy | None = None
    expires_at: datetime | ByPolicy | None = BY_POLICY
    pending: bool = False
    deadline: datetime | None = None


class RequestFields(TypedDict):
    """What every single award, spend or hold says."""

    member_id: int
    amount: Quantity
    key: str
    kind: str
    explanation: dict[str, Any]
    unit_id: NotRequired[int | None]
    account: NotRequired[str]


class AwardFields(RequestFields):
    """The fields of ``Award``, for calls by name."""

    occurred_at: datetime
    lives_from: NotRequired[datetime | None]
    expiry: NotRequired[ExpiryPolicy | None]
    expires_at: NotRequired[datetime | ByPolicy | None]
    pending: NotRequired[bool]
    deadline: NotRequired[datetime | None]


class HoldFields(RequestFields):
    """The fields of ``Debit`` with ``pending``, for calls by name: whoever holds says until when."""

    deadline: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Debit:
    """A debit to come: ``amount`` is what it takes. With ``pending`` it is a hold, released at its ``deadline``."""

    member_id: int
    amount: Quantity
    key: str
    kind: str
    explanation: dict[str, Any]
    unit_id: int | None = None
    account: str = "redemption"
    pending: bool = False
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A signed amount by which to correct a balance."""

    member_id: int
    amount: Quantity
    key: str
    explanation: dict[str, Any]
    unit_id: int | None = None
