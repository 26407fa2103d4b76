"""Whom and where a file means: members by code, email or phone, new ones for contacts that nobody has yet; units."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from app.identity.members import actions as members
from app.identity.members.queries import ids_by_ref, normalise_refs
from app.identity.names import Ref

if TYPE_CHECKING:
    from app.identity.units.models import Unit

SHORTENED = re.compile(r"\d(\.\d+)?E\+\d+", re.I)


@dataclass(frozen=True, slots=True)
class Resolved:
    """Refs as given: how we write them, whose they are, and why the others are nobody.

    ``created`` are the contacts, as we write them, of those who did not exist before.
    """

    refs: dict[str, Ref]
    ids: dict[str, int]
    created: set[str]
    unknown: dict[str, str]


def resolve(given: Collection[str], *, create: bool, now: datetime) -> Resolved:
    """Find members, and with ``create`` make those whom nobody knows, to be claimed later, by a few statements.

    Only an email or phone makes a member: a code that nobody has is a slip, not a person.
    """
    refs = normalise_refs(given)
    ids = ids_by_ref(set(refs.values()))
    created: dict[str, int] = {}
    if create and (strangers := {ref.value for ref in refs.values() if ref not in ids and ref.kind != "code"}):
        # Sorted, so that two imports of the same file wait for each other instead of in a circle.
        created = members.create_unclaimed(sorted(strangers), now=now)
    found = {text: ids.get(ref) or created.get(ref.value) for text, ref in refs.items()}
    known = {text: member_id for text, member_id in found.items() if member_id is not None}
    unknown = {text: _why_nobody(text, create=create) for text in given if text not in known}
    return Resolved(refs, known, set(created), unknown)


def _why_nobody(ref: str, *, create: bool) -> str:
    if SHORTENED.fullmatch(ref):
        return _(
            "“%(ref)s” is a number that a spreadsheet has shortened. Format the column as text and export it again.",
            ref=ref,
        )
    if create:
        return _("“%(ref)s” is no member, and no email or phone from which to make one.", ref=ref)
    return _("“%(ref)s” is no member's code, email or phone.", ref=ref)


def why_not_there(code: str, units: Mapping[str, Unit]) -> str | None:
    """Why nothing can be booked in the business unit with this code; ``None`` when something can."""
    if code not in units:
        return _("There is no business unit “%(code)s”.", code=code)
    return None if units[code].active else _("The business unit “%(code)s” is closed.", code=code)
