"""A member's profile as far as it is complete, for pages that lead to what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import url_for
from flask_babel import gettext as _

from app.identity.members.queries import profile_parts

if TYPE_CHECKING:
    from app.identity.members.models import Member


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that belongs to a complete profile, and the page where it is told."""

    label: str
    done: bool
    url: str


@dataclass(frozen=True, slots=True)
class Completeness:
    parts: list[Part]

    @property
    def done(self) -> int:
        return sum(part.done for part in self.parts)

    @property
    def complete(self) -> bool:
        return self.done == len(self.parts)

    @property
    def missing(self) -> list[Part]:
        return [part for part in self.parts if not part.done]


def completeness(member: Member, *, has_address: bool) -> Completeness:
    """What belongs to a complete profile, and how much of it is there."""
    profile, contact = url_for("portal.profile.edit"), url_for("portal.contact.new")
    words = {
        "name": (_("Your name"), profile),
        "contact": (_("Email or phone"), contact),
        "both_contacts": (_("Email and phone"), contact),
        "birth_date": (_("Date of birth"), profile),
        "gender": (_("Gender"), profile),
        "address": (_("Default address"), url_for("portal.address.edit")),
    }
    return Completeness([Part(*_named(words, code, done)) for code, done in profile_parts(member, has_address).items()])


def _named(words: dict[str, tuple[str, str]], code: str, done: bool) -> tuple[str, bool, str]:
    label, url = words[code]
    return label, done, url
