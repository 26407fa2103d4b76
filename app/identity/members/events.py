"""What happened to members, for the floors above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class MembersCreated:
    """Members exist now, however they came: they registered, or an import named them."""

    member_ids: tuple[int, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class MemberJoined:
    """A person registered, or claimed what had been imported for them.

    ``invite_code`` is whose invitation they came by, ``device`` the browser they joined in
    (see ``identity.invitations``).
    """

    member_id: int
    at: datetime
    invite_code: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class MemberProfileChanged:
    """A member's profile, contact or default address was written; it may be complete now."""

    member_id: int
    at: datetime
