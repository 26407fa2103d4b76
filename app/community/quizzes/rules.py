"""When a quiz is open, and what is enough. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

State = Literal["draft", "soon", "open", "over"]

FEWEST_CHOICES, MOST_CHOICES = 2, 6
MOST_QUESTIONS = 20


def state_of(*, published: bool, opens_at: datetime, closes_at: datetime | None, now: datetime) -> State:
    """``closes_at`` is the first moment that no longer belongs to it."""
    if not published:
        return "draft"
    if now < opens_at:
        return "soon"
    return "over" if closes_at is not None and now >= closes_at else "open"


def enough(needed: int, questions: int) -> int:
    """How many right answers points ask for; 0 ``needed`` means all of them."""
    return min(needed, questions) if needed else questions
