"""Who is at the door. A signed-in person is named by the session as ``member:ID:EPOCH`` or ``staff:ID:EPOCH``.

Raising a person's ``session_epoch`` ends all their sessions at once, remembered ones too,
because the name that their cookies carry no longer exists.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask import Flask, abort, session
from flask_login import AnonymousUserMixin, current_user, login_user, logout_user

from app.extensions import login_manager
from app.foundation.database import db
from app.foundation.permissions import Permission
from app.identity.members.models import Member
from app.identity.staff.models import Staff

REMEMBERED = timedelta(days=30)
LARGEST_ID = 2**63 - 1


class Visitor(AnonymousUserMixin):
    """Somebody we do not know: may see what is public."""

    permissions: frozenset[Permission] = frozenset()
    locale: str | None = None


_MEMBER = sa.select(Member).where(Member.id == sa.bindparam("id"))
_STAFF = sa.select(Staff).where(Staff.id == sa.bindparam("id"))


@login_manager.user_loader
def load_person(identifier: str) -> Member | Staff | None:
    """One query. ``None`` for a stale epoch, an account switched off, or a name that makes no sense."""
    kind, _, numbers = identifier.partition(":")
    number, _, epoch = numbers.partition(":")
    if not (number.isdecimal() and epoch.isdecimal()) or int(number) > LARGEST_ID:
        return None
    person: Member | Staff | None = None
    if kind == "member":
        person = db.session.scalar(_MEMBER, {"id": int(number)})
    elif kind == "staff":
        person = db.session.scalar(_STAFF, {"id": int(number)})
    if person is None or person.session_epoch != int(epoch) or not person.is_active:
        return None
    return person


def current_member() -> Member:
    """The signed-in member. Answers 401 where there is none."""
    person = current_user._get_current_object()
    return person if isinstance(person, Member) else abort(401)


def current_staff() -> Staff:
    """The signed-in colleague. Answers 401 where there is none."""
    person = current_user._get_current_object()
    return person if isinstance(person, Staff) else abort(401)


def begin(person: Member | Staff, *, remember: bool = False) -> None:
    """Sign a person in. Nothing of the session before it survives, so a planted one is worth nothing."""
    session.clear()
    login_user(person, remember=remember, duration=REMEMBERED)


def end() -> None:
    logout_user()
    forget_me = session.get("_remember")  # Flask-Login's note to itself to drop the remember-me cookie.
    session.clear()
    if forget_me:
        session["_remember"] = forget_me


def init_app(app: Flask) -> None:
    login_manager.anonymous_user = Visitor
    # "basic": a phone changes its address all day long; that must not sign anybody out.
    login_manager.session_protection = "basic"
    app.config.update(
        REMEMBER_COOKIE_DURATION=REMEMBERED,
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_SECURE=app.config["SESSION_COOKIE_SECURE"],
    )
