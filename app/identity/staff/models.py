"""Staff: merchants, agents, auditors and owners, each for all or some business units."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask_login import UserMixin
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.foundation.actors import Actor
from app.foundation.database import BigId, Id, Model, reference
from app.foundation.permissions import ROLES, Permission
from app.identity.units.models import Unit


class Staff(Model, UserMixin):
    """``units`` limits a merchant; for the other roles it is empty and they see every unit."""

    __tablename__ = "staff"
    __table_args__ = (
        sa.CheckConstraint("email = lower(email)", name="email_is_lower"),
        sa.CheckConstraint("role IN ('merchant', 'agent', 'auditor', 'owner')", name="role_known"),
    )

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(sa.String(200))
    name: Mapped[str] = mapped_column(sa.String(80))
    role: Mapped[str] = mapped_column(sa.String(12))
    active: Mapped[bool] = mapped_column(default=True)
    locale: Mapped[str | None] = mapped_column(sa.String(10))
    session_epoch: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]

    units: Mapped[list[Unit]] = relationship(secondary="staff_unit", order_by=Unit.code, lazy="selectin")

    @property
    def is_active(self) -> bool:
        return self.active

    @property
    def permissions(self) -> frozenset[Permission]:
        return ROLES[self.role]

    def get_id(self) -> str:
        return f"staff:{self.id}:{self.session_epoch}"

    @property
    def actor(self) -> Actor:
        return Actor("staff", self.id, self.name)


class StaffUnit(Model):
    __tablename__ = "staff_unit"

    staff_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("staff.id"), primary_key=True)
    unit_id: Mapped[int] = reference("unit.id", primary_key=True)
