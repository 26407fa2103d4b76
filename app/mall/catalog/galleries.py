"""The pictures of a product, and their order: the first one is what cards show."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import IO, Any

import sqlalchemy as sa
from flask_babel import gettext as _

from app.foundation import audit
from app.foundation.actors import Actor
from app.foundation.database import LockOrder, db, lock
from app.foundation.errors import InvalidInput, NotFound
from app.mall.catalog import pictures
from app.mall.catalog.models import Picture, Product
from app.mall.catalog.names import subject_of
from app.mall.catalog.rules import MOST_PICTURES


def add_picture(*, product: Product, stream: IO[bytes], by: Actor, now: datetime) -> Picture:
    """Re-encode a JPEG, PNG or WebP file and hang it behind the product's other pictures. Raises ``InvalidInput``."""
    return attach_pictures(product=product, files=[pictures.store(stream)], by=by, now=now)[0]


def attach_pictures(*, product: Product, files: Collection[str], by: Actor, now: datetime) -> list[Picture]:
    """Hang pictures that ``pictures.store`` has written already behind the others."""
    _lock_pictures(product)
    if len(product.pictures) + len(files) > MOST_PICTURES:
        raise InvalidInput(_("A product has at most %(most)s pictures. Please remove some first.", most=MOST_PICTURES))
    before = _files(product)
    first = max((picture.rank for picture in product.pictures), default=-1) + 1
    added = [Picture(file=file, rank=first + place) for place, file in enumerate(files)]
    product.pictures.extend(added)
    db.session.flush()
    _note_pictures(product, before, by, now)
    return added


def move_picture(*, product: Product, picture_id: int, place: int, by: Actor, now: datetime) -> None:
    """Put a picture at ``place`` (0 is the first, which cards show)."""
    _lock_pictures(product)
    before = _files(product)
    picture = _picture(product, picture_id)
    rest = [other for other in product.pictures if other is not picture]
    rest.insert(max(0, place), picture)
    for rank, other in enumerate(rest):
        other.rank = rank
    db.session.flush()
    db.session.refresh(product, ["pictures"])
    _note_pictures(product, before, by, now)


def remove_picture(*, product: Product, picture_id: int, by: Actor, now: datetime) -> None:
    """Take a picture off the product. Its files stay, because orders of the past still show them."""
    _lock_pictures(product)
    before = _files(product)
    picture = _picture(product, picture_id)
    product.pictures.remove(picture)
    db.session.delete(picture)
    db.session.flush()
    _note_pictures(product, before, by, now)


def _lock_pictures(product: Product) -> None:
    """Two who arrange the same pictures at once go one after the other: neither counts or ranks what has changed."""
    db.session.execute(lock(LockOrder.STOCK, sa.select(Product.id).where(Product.id == product.id)))
    db.session.refresh(product, ["pictures"])


def _picture(product: Product, picture_id: int) -> Picture:
    for picture in product.pictures:
        if picture.id == picture_id:
            return picture
    raise NotFound(_("This picture is not there any more."))


def _files(product: Product) -> dict[str, Any]:
    return {"pictures": [picture.file for picture in product.pictures]}


def _note_pictures(product: Product, before: dict[str, Any], by: Actor, now: datetime) -> None:
    audit.record("product.pictures", subject=subject_of(product), by=by, now=now, before=before, after=_files(product))
