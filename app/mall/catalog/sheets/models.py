"""Sheets that somebody sent: what stands in them, what would change, and how far their import has come."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Id, JsonList, JsonObject, Model, reference

CHECKING, CHECKED, IMPORTING, DONE, FAILED, CANCELLED = (
    "checking", "checked", "importing", "done", "failed", "cancelled",
)  # fmt: skip
CREATE, UPDATE, SAME, REFUSED = "create", "update", "same", "refused"  # What becomes of a row.


class SheetImport(Model):
    """``key`` stands in its address. ``columns`` are those that we know, ``unknown`` the others of the header.

    Its rows are ``parts`` products; those up to ``position`` are through, first with the dry run, which writes nothing
    but what would happen, then with the import. ``stock_seal`` stands for all stock changes of the sheet together,
    ``language`` is whose sentences the rows get, and ``alive_at`` is the last sign of whoever works on it.
    """

    __tablename__ = "sheet_import"
    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('checking', 'checked', 'importing', 'done', 'failed', 'cancelled')", name="state_known"
        ),
        sa.Index(None, "staff_id", "id"),
        sa.Index(None, "state"),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(sa.String(32), unique=True)
    staff_id: Mapped[int] = reference("staff.id")
    language: Mapped[str] = mapped_column(sa.String(10))
    file: Mapped[str] = mapped_column(sa.String(120))
    format: Mapped[str] = mapped_column(sa.String(20))
    columns: Mapped[JsonList]
    unknown: Mapped[JsonList]
    stock_seal: Mapped[str] = mapped_column(sa.String(64))
    state: Mapped[str] = mapped_column(sa.String(10))
    rows: Mapped[int]
    parts: Mapped[int]
    position: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime]
    alive_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class SheetRow(Model):
    """One row, by its ``number`` in the sheet. ``part`` counts its products; ``product_id`` is one that there is.

    ``changes`` are [column, old, new]; ``reasons`` say why it is refused. ``revision`` is the product's, as the dry run
    saw it. ``stock_key`` names the change of stock that was booked: no sheet books the same one twice.
    """

    __tablename__ = "sheet_row"
    __table_args__ = (
        sa.CheckConstraint("verdict IN ('', 'create', 'update', 'same', 'refused')", name="verdict_known"),
        sa.UniqueConstraint("import_id", "number"),
        sa.Index(None, "import_id", "part"),
        sa.Index(None, "import_id", "verdict", "number"),
    )

    id: Mapped[Id]
    import_id: Mapped[int] = reference("sheet_import.id")
    number: Mapped[int]
    part: Mapped[int]
    product_id: Mapped[int | None] = reference("product.id")
    cells: Mapped[JsonObject]
    broken: Mapped[str] = mapped_column(sa.Text, default="")
    verdict: Mapped[str] = mapped_column(sa.String(8), default="")
    reasons: Mapped[JsonList]
    changes: Mapped[JsonList]
    revision: Mapped[int | None]
    stock_key: Mapped[str | None] = mapped_column(sa.String(64), unique=True)


class BulkChange(Model):
    """Something done to many products at once. ``key`` came with the page that asked: sent twice is done once."""

    __tablename__ = "bulk_change"

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(sa.String(32), unique=True)
    staff_id: Mapped[int] = reference("staff.id")
    action: Mapped[str] = mapped_column(sa.String(20))
    products: Mapped[int]
    at: Mapped[datetime]
