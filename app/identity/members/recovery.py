"""Links by mail: a new password for who forgot theirs, and proof that a new email or phone is the member's own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import render_template
from flask_babel import gettext as _

from app.foundation import outbox, sms
from app.foundation.errors import DomainError, InvalidInput
from app.foundation.pages import public_url
from app.foundation.security import password_matches
from app.identity import tokens
from app.identity.members.actions import WrongPassword, change_contact, reset_password
from app.identity.members.models import Member
from app.identity.members.queries import member_by_id, member_by_ref
from app.identity.names import Ref

VALID = timedelta(hours=1)
NOBODY = "nobody"  # The channel of messages that nobody gets.


class LinkExpired(DomainError):
    """The link is too old, was used, or was never ours."""


# --- forgotten passwords ----------------------------------------------------------------


def ask_for_reset(*, contact: Ref, now: datetime) -> None:
    """Send a link to the member with this contact. An imported member claims the membership by it.

    Without such a member a message to nobody is written instead: the same work in the same time, the same answer.
    """
    member = member_by_ref(contact)
    token = _reset_token(member, now=now) if member else tokens.sign("password", {"m": 0, "e": 0, "f": ""}, now=now)
    link = public_url("portal.password.edit", token=token)
    channel, payload = _message(contact, "reset", _("Choose a new password"), link)
    if member is None:
        channel, payload = NOBODY, {**payload, "to": "", "text": ""}
    outbox.put(channel, payload, now=now)


def _reset_token(member: Member, *, now: datetime) -> str:
    facts = {"m": member.id, "e": member.session_epoch, "f": tokens.fingerprint(member.password_hash)}
    return tokens.sign("password", facts, now=now)


def member_of_reset(token: str, *, now: datetime) -> Member:
    """Whose password this link may set. Good for one change: the new hash no longer fits it. Raises ``LinkExpired``."""
    facts = tokens.read("password", token, valid_for=VALID, now=now)
    member = member_by_id(facts["m"]) if facts else None
    if facts is None or member is None or member.session_epoch != facts["e"]:
        raise LinkExpired(_("This link has expired or has been used. Please ask for a new one."))
    if tokens.fingerprint(member.password_hash) != facts["f"]:
        raise LinkExpired(_("This link has expired or has been used. Please ask for a new one."))
    return member


def finish_reset(*, token: str, password: str, now: datetime) -> Member:
    """Raises ``LinkExpired``, ``InvalidInput``."""
    member = member_of_reset(token, now=now)
    return reset_password(member, epoch=member.session_epoch, password=password, now=now)


# --- another email or phone -------------------------------------------------------------


def ask_for_contact(member: Member, *, contact: Ref, password: str, now: datetime) -> None:
    """Send a link to the new contact; the old one stays until it is opened.

    If the contact belongs to somebody else, they are told, and the page looks the same.
    Raises ``WrongPassword``, ``InvalidInput``.
    """
    if not password_matches(member.password_hash, password):
        raise WrongPassword(_("That is not your present password."))
    if contact.kind == "phone" and not sms.available():
        raise InvalidInput(_("We cannot send text messages yet, so we cannot check a phone number."))
    owner = member_by_ref(contact)
    token = tokens.sign(
        "contact", {"m": member.id, "e": member.session_epoch, "k": contact.kind, "v": contact.value}, now=now
    )
    if owner is not None and owner.id != member.id:
        _send(
            contact,
            "taken",
            _("Somebody wanted to use this address"),
            public_url("portal.session.new"),
            now=now,
        )
        return
    _send(
        contact,
        "contact",
        _("Please confirm this address"),
        public_url("portal.contact.edit", token=token),
        now=now,
    )


def contact_of_link(member: Member, token: str, *, now: datetime) -> Ref:
    """The contact that this link proves for this member. Raises ``LinkExpired``."""
    facts = tokens.read("contact", token, valid_for=VALID, now=now)
    if facts is None or (facts["m"], facts["e"]) != (member.id, member.session_epoch):
        raise LinkExpired(_("This link has expired or belongs to another account. Please ask for a new one."))
    return Ref(facts["k"], facts["v"])


def finish_contact(member: Member, *, token: str, now: datetime) -> Member:
    """Raises ``LinkExpired``, ``ContactTaken``."""
    return change_contact(member, contact=contact_of_link(member, token, now=now), now=now)


def _send(contact: Ref, message: str, subject: str, link: str, *, now: datetime) -> None:
    channel, payload = _message(contact, message, subject, link)
    outbox.put(channel, payload, now=now)


def _message(contact: Ref, message: str, subject: str, link: str) -> tuple[str, dict[str, Any]]:
    """The channel, and what to send through it."""
    ending = "txt" if contact.kind == "email" else "sms"
    text = render_template(f"identity/messages/{message}.{ending}", link=link, minutes=int(VALID.total_seconds() // 60))
    if contact.kind == "phone":
        return "sms", {"to": contact.value, "text": text}
    return "mail", {"to": contact.value, "subject": subject, "text": text}
