"""The owner published a ladder: it is put up at once, or by the worker when its moment has come."""

from __future__ import annotations

from app.foundation.events import handles
from app.foundation.terms import TermsPublished
from app.loyalty.tiers import actions as tiers


@handles(TermsPublished)
def put_up(event: TermsPublished) -> None:
    if event.domain == "ladder":
        tiers.ladder_published(version=event.version, starts_at=event.starts_at, now=event.at)
