"""Give a member a tag, and take it away again. Both are audited."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation import audit
from app.foundation.actors import Actor
from app.foundation.database import db, insert_new
from app.foundation.errors import InvalidInput
from app.identity.tags.models import LONGEST, MemberTag

if TYPE_CHECKING:
    from app.identity.members.models import Member

MOST = 30

audit.describe("member", _l("Member"), {"member.tag": _l("Tag given"), "member.untag": _l("Tag removed")})


def tag_of(text: str) -> str:
    """A tag as it is kept: small letters, single spaces. Raises ``InvalidInput``."""
    tag = " ".join(text.split()).casefold()
    if not tag or len(tag) > LONGEST or not all(sign.isalnum() or sign in " -_&." for sign in tag):
        raise InvalidInput(_("A tag is a word or two: letters and digits, %(most)s at most.", most=LONGEST))
    return tag


def tag(*, member: Member, text: str, by: Actor, now: datetime) -> bool:
    """False, with nothing written, where the member has it already. Raises ``InvalidInput``."""
    word = tag_of(text)
    mine = sa.select(sa.func.count()).where(MemberTag.member_id == member.id, MemberTag.removed_at.is_(None))
    if (db.session.scalar(mine) or 0) >= MOST:
        raise InvalidInput(_("A member can have %(most)s tags. Please remove one first.", most=MOST))
    row = {"member_id": member.id, "tag": word, "given_at": now, "given_by": by.label}
    given = insert_new(MemberTag, [row], unless=[], returning=[MemberTag.id])
    if given:
        audit.record("member.tag", subject=("member", member.code, member.label), by=by, now=now, after={"tag": word})
    return bool(given)


def untag(*, member: Member, text: str, by: Actor, now: datetime) -> bool:
    """False, with nothing written, where the member does not have it (any more)."""
    try:
        word = tag_of(text)
    except InvalidInput:
        return False
    mine = sa.update(MemberTag).where(
        MemberTag.member_id == member.id, MemberTag.tag == word, MemberTag.removed_at.is_(None)
    )
    removed = db.session.execute(
        mine.values(removed_at=now).returning(MemberTag.id), execution_options={"synchronize_session": False}
    ).all()
    if removed:
        audit.record(
            "member.untag", subject=("member", member.code, member.label), by=by, now=now, before={"tag": word}
        )
    return bool(removed)
