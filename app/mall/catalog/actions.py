"""What changes the catalogue. Everything that staff do here leaves an audit entry."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from app.foundation import audit
from app.foundation.actors import Actor
from app.foundation.database import db
from app.foundation.errors import InvalidInput, NotFound
from app.foundation.languages import translated
from app.mall.catalog import queries
from app.mall.catalog.errors import ProductChanged, SkuTaken
from app.mall.catalog.galleries import add_picture, attach_pictures, move_picture, remove_picture
from app.mall.catalog.models import Category, Picture, Price, Product, Variant
from app.mall.catalog.names import subject_of
from app.mall.catalog.rules import (
    KINDS,
    ProductDraft,
    VariantDraft,
    search_text,
    slugify,
)
from app.mall.catalog.stock import change_stock, note_movement

__all__ = [
    "add_picture",
    "archive_product",
    "attach_pictures",
    "change_stock",
    "copy_product",
    "create_category",
    "create_product",
    "list_product",
    "move_picture",
    "remove_picture",
    "update_category",
    "update_product",
]

audit.describe(
    "product",
    _l("Product"),
    {
        "product.create": _l("Product added"),
        "product.update": _l("Product changed"),
        "product.listed": _l("Product listed"),
        "product.archived": _l("Product archived"),
        "product.pictures": _l("Pictures changed"),
        "stock.change": _l("Stock changed"),
    },
)
audit.describe(
    "category", _l("Category"), {"category.create": _l("Category added"), "category.update": _l("Category changed")}
)

CATEGORY_CODE = re.compile(r"[a-z][a-z0-9-]{1,31}")

# --- products -----------------------------------------------------------------------------


def create_product(*, draft: ProductDraft, by: Actor, now: datetime) -> Product:
    """A new product, not yet listed. Raises ``InvalidInput`` and ``SkuTaken``."""
    _check(draft)
    product = Product(slug=_free_slug(draft.name), status="draft", created_at=now, updated_at=now, revision=1)
    _take_over(product, draft)
    product.prices = [Price(points=int(way.points), cash=way.cash.amount) for way in draft.ways]
    product.variants = [_new_variant(variant, rank) for rank, variant in enumerate(draft.variants)]
    product.pictures = []
    _insert(product, draft)
    for variant in product.variants:
        if variant.stock:
            note_movement(variant, change=variant.stock, stock=variant.stock, reason="delivery", by=by, now=now)
    audit.record("product.create", subject=subject_of(product), by=by, now=now, after=snapshot(product))
    return product


def update_product(*, product: Product, draft: ProductDraft, revision: int, by: Actor, now: datetime) -> None:
    """Make ``product`` what the draft says. ``revision`` is the one that the person was looking at.

    Variants that the draft leaves out are taken off sale; stock is not touched (see ``change_stock``).
    Raises ``ProductChanged``, ``InvalidInput`` and ``SkuTaken``.
    """
    _check(draft, product)
    _claim_revision(product, revision, now)
    before = snapshot(product)
    _take_over(product, draft)
    _replace_prices(product, draft)
    _replace_variants(product, draft, by, now)
    _flush(draft)
    audit.record("product.update", subject=subject_of(product), by=by, now=now, before=before, after=snapshot(product))


def copy_product(*, product: Product, by: Actor, now: datetime) -> Product:
    """A draft with the same texts, ways to pay and pictures, without stock and with SKUs of its own."""
    mark = secrets.token_hex(2).upper()
    draft = ProductDraft(
        unit_id=product.unit_id,
        category_id=product.category_id,
        kind=product.kind,
        name=product.name,
        description=product.description,
        list_price=product.worth,
        ways=list(queries.ways_of(product).values()),
        variants=[
            VariantDraft(sku=f"{variant.sku[:50]}-{mark}", name=variant.name, active=variant.active)
            for variant in product.variants
        ],
    )
    copy = create_product(draft=draft, by=by, now=now)
    copy.pictures = [Picture(file=picture.file, rank=picture.rank) for picture in product.pictures]
    return copy


def list_product(*, product: Product, by: Actor, now: datetime) -> None:
    """Offer a product to members."""
    if not any(variant.active for variant in product.variants):
        raise InvalidInput(_("No variant is on sale. Put one on sale first, then list the product."))
    _change_status(product, "listed", by, now)


def archive_product(*, product: Product, by: Actor, now: datetime) -> None:
    """Take a product out of the mall. Orders keep what they need of it."""
    _change_status(product, "archived", by, now)


def _change_status(product: Product, status: str, by: Actor, now: datetime) -> None:
    before = {"status": product.status}
    product.status, product.updated_at = status, now
    after = {"status": status}
    audit.record(f"product.{status}", subject=subject_of(product), by=by, now=now, before=before, after=after)


def _check(draft: ProductDraft, product: Product | None = None) -> None:
    if not any(draft.name.values()):
        raise InvalidInput(_("A product needs a name in at least one language."))
    if not draft.variants:
        raise InvalidInput(_("A product needs at least one variant."))
    if not draft.ways:
        raise InvalidInput(_("A product needs at least one way to pay."))
    if draft.kind not in KINDS:
        raise InvalidInput(_("Please choose what kind of product this is."))
    skus = [variant.sku for variant in draft.variants]
    taken = queries.taken_skus(skus, but_of=product.id if product else None)
    if repeated := {sku for sku in skus if skus.count(sku) > 1} | taken:
        raise SkuTaken(repeated)


def _claim_revision(product: Product, revision: int, now: datetime) -> None:
    """One statement compares and counts, so that of two people saving at once exactly one comes through."""
    claimed = db.session.execute(
        sa.update(Product)
        .where(Product.id == product.id, Product.revision == revision)
        .values(revision=Product.revision + 1, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    if not claimed.rowcount:  # type: ignore[attr-defined]
        raise ProductChanged
    db.session.refresh(product)


def _take_over(product: Product, draft: ProductDraft) -> None:
    product.unit_id, product.category_id, product.kind = draft.unit_id, draft.category_id, draft.kind
    product.name, product.description = _texts(draft.name), _texts(draft.description)
    product.list_price, product.currency = draft.list_price.amount, draft.list_price.currency
    names = [draft.name, *(variant.name for variant in draft.variants)]
    product.search_text = search_text(names, [variant.sku for variant in draft.variants])


def _texts(texts: Mapping[str, str]) -> dict[str, str]:
    return {language: text for language, text in texts.items() if text}


def _replace_prices(product: Product, draft: ProductDraft) -> None:
    """Ways that stay keep their id, so that a member who is about to order with one can."""
    wanted = {(int(way.points), way.cash.amount) for way in draft.ways}
    for price in list(product.prices):
        if (price.points, price.cash) in wanted:
            wanted.remove((price.points, price.cash))
        else:
            product.prices.remove(price)
            db.session.delete(price)
    product.prices.extend(Price(points=points, cash=cash) for points, cash in sorted(wanted))


def _replace_variants(product: Product, draft: ProductDraft, by: Actor, now: datetime) -> None:
    present = {variant.id: variant for variant in product.variants}
    for variant in present.values():
        variant.active = False
    added = []
    for rank, wanted in enumerate(draft.variants):
        if wanted.id is None:
            added.append(_new_variant(wanted, rank))
        elif wanted.id in present:
            variant = present[wanted.id]
            variant.sku, variant.name = wanted.sku, _texts(wanted.name)
            variant.active, variant.rank = wanted.active, rank
        else:
            raise NotFound(_("One of the variants does not belong to this product."))
    product.variants.extend(added)
    _flush(draft)
    for variant in added:
        if variant.stock:
            note_movement(variant, change=variant.stock, stock=variant.stock, reason="delivery", by=by, now=now)


def _new_variant(draft: VariantDraft, rank: int) -> Variant:
    return Variant(sku=draft.sku, name=_texts(draft.name), stock=draft.stock, active=draft.active, rank=rank)


def _flush(draft: ProductDraft) -> None:
    """Two people may take the same SKU between our look and our write; the database notices."""
    try:
        db.session.flush()
    except IntegrityError as error:
        if "sku" not in str(error.orig):
            raise
        raise SkuTaken([variant.sku for variant in draft.variants]) from error


def _insert(product: Product, draft: ProductDraft) -> None:
    """Of two who take the same address between look and write, as a double click does, the later gets a longer one."""
    try:
        with db.session.begin_nested():
            db.session.add(product)
            _flush(draft)
    except IntegrityError:
        product.slug = _longer(product.slug)
        db.session.add(product)
        _flush(draft)


def _longer(slug: str) -> str:
    return f"{slug}-{secrets.token_hex(3)}"


def _free_slug(name: Mapping[str, str]) -> str:
    wanted = slugify(name.get("en") or "") or next(filter(None, map(slugify, name.values())), "")
    if not wanted:
        return f"product-{secrets.token_hex(4)}"
    # "new" is the address of the form for a new product.
    taken = wanted == "new" or queries.slug_taken(wanted)
    return _longer(wanted) if taken else wanted


def snapshot(product: Product) -> dict[str, Any]:
    """What the audit log compares."""
    return {
        "unit": product.unit_id,
        "category": product.category_id,
        "kind": product.kind,
        "name": dict(product.name),
        "description": dict(product.description),
        "list_price": str(product.worth),
        "ways": sorted([price.points, price.cash] for price in product.prices),
        "variants": [[variant.sku, dict(variant.name), variant.active] for variant in product.variants],
    }


# --- categories -----------------------------------------------------------------------------


def create_category(*, code: str, name: Mapping[str, str], rank: int = 0, by: Actor, now: datetime) -> Category:
    """``code`` stays for good: orders and earning rules name the category by it. Raises ``InvalidInput``."""
    if not CATEGORY_CODE.fullmatch(code):
        raise InvalidInput(
            _("A category's code is 2 to 32 small letters, digits and hyphens, beginning with a letter.")
        )
    category = Category(code=code, name=_category_name(name), rank=rank)
    try:
        with db.session.begin_nested():  # The constraint decides between two who choose the same code at once.
            db.session.add(category)
    except IntegrityError as error:
        raise InvalidInput(_("There is a category with the code %(code)s already.", code=code)) from error
    audit.record("category.create", subject=_category_subject(category), by=by, now=now, after=_facts(category))
    return category


def update_category(category: Category, *, name: Mapping[str, str], rank: int, by: Actor, now: datetime) -> Category:
    before = _facts(category)
    category.name, category.rank = _category_name(name), rank
    audit.record(
        "category.update", subject=_category_subject(category), by=by, now=now, before=before, after=_facts(category)
    )
    return category


def _category_name(name: Mapping[str, str]) -> dict[str, str]:
    texts = _texts(name)
    if not texts:
        raise InvalidInput(_("Please give the category a name in at least one language."))
    return texts


def _facts(category: Category) -> dict[str, Any]:
    return {"name": dict(category.name), "rank": category.rank}


def _category_subject(category: Category) -> tuple[str, object, str]:
    return "category", category.code, translated(category.name)
