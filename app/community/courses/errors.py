"""Why a lesson cannot be read, or removed."""

from __future__ import annotations

from flask_babel import gettext as _

from app.foundation.errors import DomainError


class NoAccess(DomainError):
    """The course is not for everybody, and this member was not given access."""

    status = 403

    def __init__(self) -> None:
        super().__init__(_("This course is for those who have got it. See below how to get it."))


class NotBegun(DomainError):
    """The member was given access and did not open it: it could still be given back."""

    status = 403

    def __init__(self) -> None:
        super().__init__(_("You have not begun this course yet. Begin it first, then its lessons can be read."))


class NotThere(DomainError):
    """The course was taken back, or the lesson is gone."""

    status = 404

    def __init__(self) -> None:
        super().__init__(_("This lesson is not there any more. What you have read stays noted."))


class ReadAlready(DomainError):
    """Members have read the lesson: it is part of what they did."""

    def __init__(self) -> None:
        super().__init__(_("Members have read this lesson already, so it stays. You can still change its text."))
