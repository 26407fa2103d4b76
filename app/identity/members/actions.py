"""Becoming a member, and a member's own data. Registration by a person is told in ``registration.py``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.exc import IntegrityError

from app.config import LOCALES
from app.foundation.database import db, insert_new
from app.foundation.errors import DomainError, InvalidInput
from app.foundation.events import publish
from app.foundation.security import hash_password, password_matches
from app.identity.members.events import MemberJoined, MemberProfileChanged, MembersCreated
from app.identity.members.models import Address, Member
from app.identity.members.queries import COLUMNS, addresses_of, default_address, ids_by_ref, normalise_refs
from app.identity.names import Ref, clean, email_of, home_region, new_code, phone_of
from app.identity.passwords import check_password

OLDEST = date(1900, 1, 1)
GENDERS = ("", "female", "male", "other")


class ContactTaken(DomainError):
    """The email or phone belongs to another member."""


class WrongPassword(InvalidInput):
    """The present password was not given correctly."""


# --- becoming a member ------------------------------------------------------------------


def register(
    *,
    email: str | None = None,
    phone: str | None = None,
    password: str,
    name: str = "",
    locale: str | None = None,
    now: datetime,
) -> Member:
    """Make a member of somebody whose contact is proven, or trusted by the caller.

    Publishes ``MembersCreated``, then ``MemberJoined``. Raises ``InvalidInput`` and
    ``ContactTaken``; an imported member is never taken over here, see ``claim``.
    """
    email, phone = _contacts(email, phone)
    check_password(password, about=tuple(filter(None, (email, phone, name))))
    return add_member(
        email=email, phone=phone, password_hash=hash_password(password), name=name, locale=locale, now=now
    )


def _contacts(email: str | None, phone: str | None) -> tuple[str | None, str | None]:
    email = email_of(email) if email else None
    phone = phone_of(phone, home_region()) if phone else None
    if not (email or phone):
        raise InvalidInput(_("Please give an email address or a phone number."))
    return email, phone


def add_member(
    *,
    email: str | None,
    phone: str | None,
    password_hash: str,
    name: str,
    locale: str | None,
    invite_code: str | None = None,
    device: str | None = None,
    now: datetime,
) -> Member:
    """``register`` for values that were checked before. Raises ``ContactTaken``."""
    member = Member(
        code=new_code(),
        email=email,
        phone=phone,
        password_hash=password_hash,
        name=clean(name)[:80],
        locale=locale if locale in LOCALES else None,
        created_at=now,
        claimed_at=now,
    )
    try:
        with db.session.begin_nested():  # The constraint decides between two who register at once.
            db.session.add(member)
    except IntegrityError as error:
        raise ContactTaken(_("Somebody has just joined with this contact. Please sign in instead.")) from error
    publish(MembersCreated((member.id,), now))
    publish(MemberJoined(member.id, now, invite_code, device))
    return member


def create_unclaimed(refs: Sequence[str], *, now: datetime) -> dict[str, int]:
    """Members that can be claimed later. Each ref as given → member id; those that exist are found, not made.

    A ref is an email, a phone or a member code; refs that make no sense are left out.
    Publishes one ``MembersCreated`` for all that are new. Safe to run twice and in parallel.
    """
    normal = normalise_refs(refs)
    wanted = set(normal.values())
    created = [member_id for kind in COLUMNS for member_id in _insert(kind, wanted, now)]
    if created:
        publish(MembersCreated(tuple(sorted(created)), now))
    ids = ids_by_ref(wanted)
    return {text: ids[ref] for text, ref in normal.items()}


def _insert(kind: str, refs: Iterable[Ref], now: datetime) -> list[int]:
    fixed = {"name": "", "gender": "", "session_epoch": 0, "created_at": now}
    # Sorted: two imports that insert the same members in different orders would wait for each other in a circle.
    values = sorted(ref.value for ref in refs if ref.kind == kind)
    rows = [fixed | {"code": new_code()} | {kind: value} for value in values]
    return [row.id for row in insert_new(Member, rows, unless=[kind], returning=[Member.id])]


def claim(
    member: Member,
    *,
    password_hash: str,
    name: str = "",
    locale: str | None = None,
    invite_code: str | None = None,
    device: str | None = None,
    now: datetime,
) -> Member:
    """Give an imported member to the person who has proven to own the contact. Publishes ``MemberJoined``."""
    claimed = db.session.scalar(
        sa.update(Member)
        .where(Member.id == member.id, Member.claimed_at.is_(None))
        .values(
            password_hash=password_hash,
            claimed_at=now,
            session_epoch=Member.session_epoch + 1,
            name=clean(name)[:80] or Member.name,
            locale=locale if locale in LOCALES else Member.locale,
        )
        .returning(Member.id)
    )
    if claimed is None:
        raise ContactTaken(_("This membership has been claimed already. Please sign in instead."))
    db.session.refresh(member)
    publish(MemberJoined(member.id, now, invite_code, device))
    return member


# --- a member's own data ----------------------------------------------------------------


def update_profile(member: Member, *, name: str, gender: str, birth_date: date | None, now: datetime) -> Member:
    """Publishes ``MemberProfileChanged``. Raises ``InvalidInput``."""
    if gender not in GENDERS:
        raise InvalidInput(_("Please choose one of the genders offered."))
    if birth_date is not None and not OLDEST <= birth_date <= now.date():
        raise InvalidInput(_("Please check the date of birth."))
    if not clean(name):
        raise InvalidInput(_("Please tell us what to call you."))
    member.name, member.gender, member.birth_date = clean(name)[:80], gender, birth_date
    publish(MemberProfileChanged(member.id, now))
    return member


def change_language(person: Any, *, locale: str) -> None:
    """Of a member or a colleague. Raises ``InvalidInput`` for a language that we do not speak."""
    if locale not in LOCALES:
        raise InvalidInput(_("We do not speak this language yet."))
    person.locale = locale


def change_contact(member: Member, *, contact: Ref, now: datetime) -> Member:
    """To an email or phone that the member has proven to own.

    Publishes ``MemberProfileChanged``. Raises ``ContactTaken``.
    """
    try:
        with db.session.begin_nested():
            setattr(member, contact.kind, contact.value)
    except IntegrityError as error:
        raise ContactTaken(_("This contact already belongs to another membership.")) from error
    publish(MemberProfileChanged(member.id, now))
    return member


def change_password(member: Member, *, present: str, password: str, now: datetime) -> Member:
    """Ends the member's other sessions. Raises ``WrongPassword``, ``InvalidInput``."""
    if not password_matches(member.password_hash, present):
        raise WrongPassword(_("That is not your present password."))
    check_password(password, about=about(member))
    return _set_password(member, password, now)


def reset_password(member: Member, *, epoch: int, password: str, now: datetime) -> Member:
    """By a link that was sent while ``session_epoch`` was ``epoch``. Claims an imported member.

    Raises ``InvalidInput`` for the password, ``ContactTaken`` if the link was used meanwhile.
    """
    check_password(password, about=about(member))
    locked = sa.update(Member).where(Member.id == member.id, Member.session_epoch == epoch)
    if db.session.scalar(locked.values(session_epoch=epoch).returning(Member.id)) is None:
        raise DomainError(_("This link has been used already. Please ask for a new one."))
    if member.claimed_at is None:
        return claim(member, password_hash=hash_password(password), now=now)
    return _set_password(member, password, now)


def _set_password(member: Member, password: str, now: datetime) -> Member:
    member.password_hash = hash_password(password)
    return sign_out_everywhere(member, now=now)


def sign_out_everywhere(member: Member, *, now: datetime) -> Member:
    """Every session of the member ends, on every device."""
    member.session_epoch += 1
    return member


def about(member: Member) -> tuple[str, ...]:
    """What a guesser would try first as this member's password."""
    return tuple(filter(None, (member.email, member.phone, member.name, member.code)))


# --- the address book -------------------------------------------------------------------

MOST_ADDRESSES = 20
_LONGEST = {"recipient": 80, "region": 80, "city": 80, "line": 200}


class AddressBookFull(DomainError):
    def __init__(self) -> None:
        super().__init__(
            ngettext(
                "Your address book holds %(num)s address at most. Please remove one that you no longer need.",
                "Your address book holds %(num)s addresses at most. Please remove one that you no longer need.",
                MOST_ADDRESSES,
            )
        )


def save_address(
    member: Member, *, recipient: str, phone: str, region: str, city: str, line: str, postcode: str = "", now: datetime
) -> Address:
    """The member's default address, new or changed. Publishes ``MemberProfileChanged``. Raises ``InvalidInput``."""
    parts = _address(recipient=recipient, phone=phone, region=region, city=city, line=line, postcode=postcode)
    address = default_address(member.id)
    return _write(address or Address(member_id=member.id, is_default=True), parts, now=now)


def add_address(
    member: Member, *, recipient: str, phone: str, region: str, city: str, line: str, postcode: str = "", now: datetime
) -> Address:
    """One more in the book, the first as the default; one that is in it already stays as it is.

    Publishes ``MemberProfileChanged``. Raises ``InvalidInput`` and ``AddressBookFull``.
    """
    parts = _address(recipient=recipient, phone=phone, region=region, city=city, line=line, postcode=postcode)
    _one_after_the_other(member.id)
    book = addresses_of(member.id)
    for known in book:
        if all(getattr(known, name) == text for name, text in parts.items()):
            return known
    if len(book) >= MOST_ADDRESSES:
        raise AddressBookFull
    return _write(Address(member_id=member.id, is_default=not any(each.is_default for each in book)), parts, now=now)


def _one_after_the_other(member_id: int) -> None:
    """Two who add at once would both count too few. Leaves foreign keys alone, so it stands in nobody's way."""
    db.session.execute(sa.select(Member.id).where(Member.id == member_id).with_for_update(key_share=True))


def change_address(
    address: Address,
    *,
    recipient: str,
    phone: str,
    region: str,
    city: str,
    line: str,
    postcode: str = "",
    now: datetime,
) -> Address:
    """Orders on their way keep the address they were given. Publishes ``MemberProfileChanged``."""
    parts = _address(recipient=recipient, phone=phone, region=region, city=city, line=line, postcode=postcode)
    return _write(address, parts, now=now)


def remove_address(address: Address, *, now: datetime) -> None:
    """Out of the book; where it was the default, the latest of the others becomes it."""
    member_id, was_default = address.member_id, address.is_default
    db.session.delete(address)
    db.session.flush()
    rest = addresses_of(member_id)
    if was_default and rest:
        max(rest, key=lambda each: each.id).is_default = True
    publish(MemberProfileChanged(member_id, now))


def make_default_address(address: Address) -> None:
    """The one that is suggested first from now on."""
    others = sa.update(Address).where(Address.member_id == address.member_id, Address.is_default)
    db.session.execute(others.values(is_default=False), execution_options={"synchronize_session": "fetch"})
    address.is_default = True
    db.session.flush()


def _address(*, phone: str, postcode: str, **texts: str) -> dict[str, str]:
    """The parts of an address as we keep them. Raises ``InvalidInput``."""
    parts = {name: clean(text)[: _LONGEST[name]] for name, text in texts.items()}
    if not all(parts.values()):
        raise InvalidInput(_("An address needs a recipient, a region, a city and a street."))
    return {**parts, "phone": phone_of(phone, home_region()), "postcode": clean(postcode)[:12]}


def _write(address: Address, parts: Mapping[str, str], *, now: datetime) -> Address:
    for name, text in parts.items():
        setattr(address, name, text)
    db.session.add(address)
    db.session.flush()
    publish(MemberProfileChanged(address.member_id, now))
    return address
