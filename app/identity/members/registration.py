"""Joining, in two steps: say who you are, then show that the email or phone is yours by the code we sent to it.

Whether the contact was unknown, imported or taken, the first step does the same work, writes the
same rows and shows the same page; only who reads the mailbox learns which it was. See
docs/adr on joining.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import render_template
from flask_babel import gettext as _

from app.foundation import outbox, sms
from app.foundation.database import db
from app.foundation.errors import InvalidInput
from app.foundation.pages import public_url
from app.foundation.security import hash_password
from app.identity.members.actions import add_member, claim
from app.identity.members.models import Member, Registration
from app.identity.members.queries import member_by_ref
from app.identity.names import Ref
from app.identity.passwords import check_password
from app.identity.tokens import digest

VALID = timedelta(minutes=15)
ATTEMPTS = 5
MESSAGES = 3


def begin_registration(
    *,
    contact: Ref,
    name: str,
    password: str,
    locale: str,
    invite_code: str | None = None,
    device: str | None = None,
    now: datetime,
) -> str:
    """The first step. Returns the token under which this browser continues. Raises ``InvalidInput``."""
    if contact.kind == "phone" and not sms.available():
        raise InvalidInput(
            _("We cannot send text messages yet, so we cannot check a phone number. Please join with your email.")
        )
    check_password(password, about=(contact.value, name))
    member = member_by_ref(contact)
    taken = member is not None and member.claimed_at is not None
    token, code = secrets.token_urlsafe(32), new_number()
    db.session.add(
        Registration(
            token=token,
            email=contact.value if contact.kind == "email" else None,
            phone=contact.value if contact.kind == "phone" else None,
            name=name,
            password_hash=hash_password(password),
            locale=locale,
            code_hash="" if taken else digest(token, code),
            invite_code=invite_code,
            device=device,
            expires_at=now + VALID,
        )
    )
    send_code(contact, None if taken else code, now=now)
    return token


def send_code(contact: Ref, code: str | None, *, now: datetime) -> None:
    """Mail or text the code; without one, tell the owner of the contact that they are a member already."""
    template = f"identity/messages/{'code' if code else 'already'}.{'txt' if contact.kind == 'email' else 'sms'}"
    facts = {
        "code": code,
        "minutes": int(VALID.total_seconds() // 60),
        "sign_in_url": public_url("portal.session.new"),
        "reset_url": public_url("portal.password.new"),
    }
    text = render_template(template, **facts)
    if contact.kind == "phone":
        outbox.put("sms", {"to": contact.value, "text": text}, now=now)
        return
    subject = _("Your code is %(code)s", code=code) if code else _("You are a member already")
    outbox.put("mail", {"to": contact.value, "subject": subject, "text": text}, now=now)


def open_registration(token: str, *, now: datetime) -> Registration | None:
    """The registration this browser began, if it can still be confirmed."""
    return db.session.scalar(
        sa.select(Registration).where(
            Registration.token == token, Registration.expires_at > now, Registration.attempts < ATTEMPTS
        )
    )


def send_another_code(*, token: str, now: datetime) -> bool:
    """A fresh code for the same registration; the one before is void. ``False`` after three messages."""
    registration = db.session.scalar(
        sa.update(Registration)
        .where(Registration.token == token, Registration.expires_at > now, Registration.messages < MESSAGES)
        .values(messages=Registration.messages + 1, expires_at=now + VALID)
        .returning(Registration)
    )
    if registration is None:
        return False
    code = new_number()
    contact = contact_of_registration(registration)
    if registration.code_hash:
        registration.code_hash = digest(token, code)
    send_code(contact, code if registration.code_hash else None, now=now)
    return True


def contact_of_registration(registration: Registration) -> Ref:
    return Ref("email", registration.email) if registration.email else Ref("phone", registration.phone or "")


def new_number() -> str:
    return f"{secrets.randbelow(10**6):06}"


def confirm_registration(*, token: str, code: str, now: datetime) -> Member | None:
    """The second step. ``None`` for a wrong code, which counts as a try whatever happens next.

    Raises ``ContactTaken`` if somebody else proved to own the contact meanwhile.
    """
    registration = db.session.scalar(
        sa.update(Registration)
        .where(Registration.token == token, Registration.expires_at > now, Registration.attempts < ATTEMPTS)
        .values(attempts=Registration.attempts + 1)
        .returning(Registration)
    )
    given = digest(token, "".join(c for c in code if c.isdecimal()))
    if registration is None or not hmac.compare_digest(given, registration.code_hash):
        return None
    db.session.delete(registration)
    member = member_by_ref(contact_of_registration(registration))
    facts = {name: getattr(registration, name) for name in ("password_hash", "name", "locale", "invite_code", "device")}
    if member is not None:
        return claim(member, **facts, now=now)
    return add_member(email=registration.email, phone=registration.phone, **facts, now=now)


def forget_expired(*, now: datetime) -> int:
    """Unfinished registrations hold a name and a contact: they go when their code does."""
    gone = sa.delete(Registration).where(Registration.expires_at <= now).returning(Registration.id)
    return len(db.session.scalars(gone).all())
