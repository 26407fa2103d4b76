"""Why a quiz cannot be answered, or changed."""

from __future__ import annotations

from flask_babel import gettext as _

from app.foundation.errors import DomainError


class NotOpen(DomainError):
    """Outside its time, or not published."""

    def __init__(self) -> None:
        super().__init__(_("This quiz is not open just now. Nothing was handed in."))


class QuizChanged(DomainError):
    """The questions are not those any more that the member read."""

    def __init__(self) -> None:
        super().__init__(_("The questions have changed meanwhile. Nothing was handed in; please look at them again."))


class AnswersMissing(DomainError):
    """Some questions have no answer."""

    status = 422

    def __init__(self, missing: frozenset[int]) -> None:
        super().__init__(_("Please answer every question. Nothing was handed in yet."))
        self.missing = missing


class AlreadyAnswered(DomainError):
    """Members have answered: what they answered must not change behind them."""

    def __init__(self) -> None:
        super().__init__(_("Members have answered this quiz already, so it can no longer be changed."))
