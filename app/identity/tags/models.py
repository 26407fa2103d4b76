"""Tags 标签: what colleagues note about a member in a word, and by which benefits and campaigns find people."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Id, Model, reference

LONGEST = 30


class MemberTag(Model):
    """A member has a tag at most once at a time. Removed ones are kept: what happened under them stays explicable."""

    __tablename__ = "member_tag"
    __table_args__ = (
        sa.Index(
            "uq_member_tag_open",
            "member_id",
            "tag",
            unique=True,
            postgresql_where=sa.text("removed_at IS NULL"),
            sqlite_where=sa.text("removed_at IS NULL"),
        ),
        sa.Index(None, "member_id"),
        sa.Index(None, "tag"),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id")
    tag: Mapped[str] = mapped_column(sa.String(LONGEST))
    given_at: Mapped[datetime]
    given_by: Mapped[str] = mapped_column(sa.String(120))
    removed_at: Mapped[datetime | None]
