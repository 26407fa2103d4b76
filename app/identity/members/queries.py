"""Finding members."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import sqlalchemy as sa

from app.foundation.database import any_of, db
from app.foundation.errors import InvalidInput
from app.foundation.listing import Part, part_of
from app.foundation.terms import current
from app.identity.members.models import Address, Member
from app.identity.members.terms import ProfileTerms
from app.identity.names import Ref, clean, code_of, home_region, ref_of

CHUNK = 5_000  # Both databases limit how many values one statement may carry.
COLUMNS = {"email": Member.email, "phone": Member.phone, "code": Member.code}


def normalise_ref(text: str) -> str:
    """An email, phone or member code as we store it. Raises ``InvalidInput`` with a sentence."""
    return ref_of(text).value


def normalise_refs(refs: Collection[str]) -> dict[str, Ref]:
    """Each ref as given → its normal form; those that make no sense are left out."""
    region, found = home_region(), {}
    for text in refs:
        try:
            found[text] = ref_of(text, region)
        except InvalidInput:
            continue
    return found


def find_by_refs(refs: Collection[str]) -> dict[str, int]:
    """Each ref as given → member id, for those that name a member. One query per kind and 5,000 refs."""
    normal = normalise_refs(refs)
    ids = ids_by_ref(set(normal.values()))
    return {text: ids[ref] for text, ref in normal.items() if ref in ids}


def ids_by_ref(refs: Collection[Ref]) -> dict[Ref, int]:
    found: dict[Ref, int] = {}
    for kind, column in COLUMNS.items():
        for values in _chunks([ref.value for ref in refs if ref.kind == kind]):
            rows = db.session.execute(sa.select(column, Member.id).where(column.in_(values)))
            found |= {Ref(kind, value): member_id for value, member_id in rows}  # type: ignore[arg-type]
    return found


def _chunks(values: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(values)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def member_by_ref(ref: Ref) -> Member | None:
    return db.session.scalar(sa.select(Member).where(COLUMNS[ref.kind] == ref.value))


def find_by_ref(text: str) -> Member | None:
    """The member with this email, phone or code, however it was typed."""
    try:
        return member_by_ref(ref_of(text))
    except InvalidInput:
        return None


def member_by_code(code: str) -> Member | None:
    return db.session.scalar(sa.select(Member).where(Member.code == code_of(code)))


def member_by_id(member_id: int) -> Member | None:
    return db.session.get(Member, member_id)


def members_by_ids(ids: Collection[int]) -> dict[int, Member]:
    """Id → member, by one query; for lists that name whom something belongs to."""
    return {member.id: member for member in db.session.scalars(sa.select(Member).where(Member.id.in_(ids)))}


def search(text: str, limit: int = 20) -> list[Member]:
    """Members whose email, phone, code or name fits what an agent typed; exact hits first."""
    words = clean(text)[:100]
    if not words:
        return []
    digits = "".join(c for c in words if c.isdecimal())
    fits = [
        Member.email.startswith(words.lower(), autoescape=True),
        Member.code.startswith(code_of(words) or words, autoescape=True),
        Member.name.icontains(words, autoescape=True),
    ]
    if len(digits) >= 4 and not any(c.isalpha() for c in words):
        fits.append(Member.phone.contains(digits, autoescape=True))
    exact = find_by_ref(words)
    found = db.session.scalars(sa.select(Member).where(sa.or_(*fits)).order_by(Member.id.desc()).limit(limit))
    others = [member for member in found if exact is None or member.id != exact.id]
    return ([exact] if exact else [])[:limit] + others[: limit - bool(exact)]


def default_address(member_id: int) -> Address | None:
    return db.session.scalar(sa.select(Address).where(Address.member_id == member_id, Address.is_default))


def addresses_of(member_id: int) -> Sequence[Address]:
    """A member's address book: the default first, then the latest."""
    book = sa.select(Address).where(Address.member_id == member_id)
    return db.session.scalars(book.order_by(Address.is_default.desc(), Address.id.desc())).all()


def own_address(member_id: int, address_id: int) -> Address | None:
    """One of this member's addresses; somebody else's looks like none."""
    return db.session.scalar(sa.select(Address).where(Address.member_id == member_id, Address.id == address_id))


def has_address(member_id: int) -> bool:
    found = sa.select(Address.id).where(Address.member_id == member_id, Address.is_default)
    return db.session.scalar(found) is not None


def profile_parts(member: Member, has_address: bool) -> dict[str, bool]:
    """What belongs to a complete profile under today's terms, and whether it is there."""
    terms = current(ProfileTerms)
    contacts = [bool(member.email), bool(member.phone)]
    parts = {"name": bool(member.name)}
    parts |= {"both_contacts": all(contacts)} if terms.both_contacts else {"contact": any(contacts)}
    if terms.birth_date:
        parts["birth_date"] = member.birth_date is not None
    if terms.gender:
        parts["gender"] = bool(member.gender)
    if terms.address:
        parts["address"] = has_address
    return parts


def profile_complete(member: Member) -> bool:
    """Has the person told all that belongs to a complete profile? An imported member is no person yet."""
    if member.claimed_at is None or not all(profile_parts(member, has_address=True).values()):
        return False
    return not current(ProfileTerms).address or has_address(member.id)


def born_on(birthday: int, *, claimed_before: datetime, after: int, limit: int) -> Sequence[int]:
    """Ids behind ``after`` of those whose birthday (``1231`` for 31 December) it is and who had joined by then."""
    which = sa.select(Member.id).where(
        Member.birthday == birthday, Member.id > after, Member.claimed_at < claimed_before
    )
    return db.session.scalars(which.order_by(Member.id).limit(limit)).all()


def joined_within(since: datetime, until: datetime, *, after: int, limit: int) -> Sequence[int]:
    """Ids behind ``after`` of those who became members themselves in ``[since, until)``."""
    which = sa.select(Member.id).where(Member.claimed_at >= since, Member.claimed_at < until, Member.id > after)
    return db.session.scalars(which.order_by(Member.id).limit(limit)).all()


def first_joined() -> datetime | None:
    """When the first person became a member."""
    return db.session.scalar(sa.select(sa.func.min(Member.claimed_at)))


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody a mail can go to, in their language; ``None`` where they never chose one."""

    member_id: int
    email: str
    locale: str | None


def reached_by_mail() -> sa.Select[int]:
    """A statement: the ids of those who are members themselves, not only imported, and have an address."""
    return sa.select(Member.id).where(Member.claimed_at.is_not(None), Member.email.is_not(None))


def recipients(member_ids: Collection[int]) -> list[Recipient]:
    """Where mail to these members goes, by id; without those whom none reaches."""
    which = sa.select(Member.id, Member.email, Member.locale).where(
        any_of(Member.id, member_ids), Member.claimed_at.is_not(None)
    )
    rows = db.session.execute(which.order_by(Member.id))
    return [Recipient(member_id, email, locale) for member_id, email, locale in rows if email]


def newest(*, after: str | None = None, limit: int = 20) -> Part[Member]:
    """All members, the latest first."""
    return part_of(sa.select(Member), keys=[Member.id], after=after, limit=limit)


def anybody() -> bool:
    """Is there any member yet?"""
    return db.session.scalar(sa.select(sa.exists().select_from(Member))) is True
