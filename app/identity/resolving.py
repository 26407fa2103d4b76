"""Whom a file means: members by code, email or phone, and new ones for contacts that nobody has yet."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from app.identity.members import actions as members
from app.identity.members.queries import find_by_refs, normalise_refs

SHORTENED = re.compile(r"\d(\.\d+)?E\+\d+", re.I)


@dataclass(frozen=True, slots=True)
class Resolved:
    """Refs as given: whose they are, who did not exist before, and why the others are nobody."""

    ids: dict[str, int]
    created: set[str]
    unknown: dict[str, str]


def resolve(refs: Collection[str], *, create: bool, now: datetime) -> Resolved:
    """Find members, and with ``create`` make those whom nobody knows, to be claimed later, by a few statements.

    Only an email or phone makes a member: a code that nobody has is a slip, not a person.
    """
    wanted = set(refs)
    ids, created = find_by_refs(wanted), set[str]()
    if create and (missing := wanted - ids.keys()):
        contacts = {text: ref.value for text, ref in normalise_refs(missing).items() if ref.kind != "code"}
        # Sorted, so that two imports of the same file wait for each other instead of in a circle.
        ids |= members.create_unclaimed(sorted(contacts), now=now)
        created = set(contacts.values())
    return Resolved(ids, created, {ref: _why_nobody(ref, create=create) for ref in wanted - ids.keys()})


def _why_nobody(ref: str, *, create: bool) -> str:
    if SHORTENED.fullmatch(ref):
        return _(
            "“%(ref)s” is a number that a spreadsheet has shortened. Format the column as text and export it again.",
            ref=ref,
        )
    if create:
        return _("“%(ref)s” is no member, and no email or phone from which to make one.", ref=ref)
    return _("“%(ref)s” is no member's code, email or phone.", ref=ref)
