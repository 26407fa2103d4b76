"""Products as staff make and change them. Everything here leaves an audit entry."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from app.foundation import audit
from app.foundation.actors import Actor
from app.foundation.database import db
from app.foundation.errors import InvalidInput, NotFound
from app.identity.staff.queries import staff_by_id, unit_scope
from app.mall.catalog import queries, search
from app.mall.catalog.counted import refuse_other_kind, refuse_typed_stock
from app.mall.catalog.errors import GrantNotOffered, ProductChanged, SkuTaken
from app.mall.catalog.grants import may_sell
from app.mall.catalog.limits import lock_products
from app.mall.catalog.models import Brand, Picture, Price, Product, Variant
from app.mall.catalog.names import subject_of
from app.mall.catalog.rules import GRANTING, KINDS, PERIODS, ProductDraft, VariantDraft, slugify, sort_keys
from app.mall.catalog.stock import note_movement
from app.mall.catalog.stockroom import Scope

RESERVED = {"new", "selection", "sheets", "wishes"}  # Addresses beside those of the products.


def create_product(*, draft: ProductDraft, by: Actor, now: datetime) -> Product:
    """A new product, not yet listed. Raises ``InvalidInput`` and ``SkuTaken``."""
    _check(draft, units=units_of(by))
    product = Product(
        slug=_free_slug(draft.name), status="draft", search_text="", created_at=now, updated_at=now, revision=1
    )
    _take_over(product, draft)
    product.prices = [Price(points=int(way.points), cash=way.cash.amount) for way in draft.ways]
    product.variants = [_new_variant(variant, rank) for rank, variant in enumerate(draft.variants)]
    product.pictures = []
    _insert(product, draft)
    reindex(product)
    for variant in product.variants:
        if variant.stock:
            note_movement(variant, change=variant.stock, stock=variant.stock, reason="delivery", by=by, now=now)
    audit.record("product.create", subject=subject_of(product), by=by, now=now, after=snapshot(product))
    return product


def update_product(*, product: Product, draft: ProductDraft, revision: int, by: Actor, now: datetime) -> None:
    """Make ``product`` what the draft says. ``revision`` is the one that the person was looking at.

    Variants that the draft leaves out are taken off sale; stock is not touched (see ``change_stock``).
    Raises ``ProductChanged``, ``KindKept``, ``InvalidInput`` and ``SkuTaken``.
    """
    _check(draft, product, units=units_of(by))
    lock_products(product_ids=[product.id])
    refuse_other_kind(product, draft.kind)
    _claim_revision(product, revision, now)
    before = snapshot(product)
    _take_over(product, draft)
    _replace_prices(product, draft)
    _replace_variants(product, draft, by, now)
    _flush(draft)
    reindex(product)
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
        brand_id=product.brand_id,
        window=product.window,
        tier_id=product.tier_id,
        limit=product.limit,
        grants=product.grants,
    )
    copy = create_product(draft=draft, by=by, now=now)
    copy.pictures = [Picture(file=picture.file, rank=picture.rank) for picture in product.pictures]
    return copy


def list_product(*, product: Product, by: Actor, now: datetime, at: datetime | None = None) -> None:
    """Offer a product to members, now or from a later moment on: by the clock, no job has to wake up for it."""
    if not any(variant.active for variant in product.variants):
        raise InvalidInput(_("No variant is on sale. Put one on sale first, then list the product."))
    _change_status(product, "listed", max(at or now, now), by, now)


def archive_product(*, product: Product, by: Actor, now: datetime) -> None:
    """Take a product out of the mall. Orders keep what they need of it."""
    _change_status(product, "archived", None, by, now)


def _change_status(product: Product, status: str, listed_at: datetime | None, by: Actor, now: datetime) -> None:
    before = _status_facts(product)
    product.status, product.listed_at, product.updated_at = status, listed_at, now
    after = _status_facts(product)
    audit.record(f"product.{status}", subject=subject_of(product), by=by, now=now, before=before, after=after)


def _status_facts(product: Product) -> dict[str, Any]:
    return {"status": product.status, "listed_at": product.listed_at.isoformat() if product.listed_at else None}


def reindex(product: Product) -> None:
    """Let a product be found by what it is called now."""
    brand = db.session.get(Brand, product.brand_id) if product.brand_id else None
    search.index(product, brand.name if brand else None)


def units_of(by: Actor) -> Scope:
    """The units whose products this one makes and changes; ``None`` is all of them."""
    if by.kind != "staff":
        return None
    staff = staff_by_id(by.id) if by.id is not None else None
    return unit_scope(staff) if staff else ()


def _check(draft: ProductDraft, product: Product | None = None, *, units: Scope) -> None:
    check(draft, product, units=units)
    skus = [variant.sku for variant in draft.variants]
    taken = queries.taken_skus(skus, but_of=product.id if product else None)
    if repeated := {sku for sku in skus if skus.count(sku) > 1} | taken:
        raise SkuTaken(repeated)


def check(draft: ProductDraft, product: Product | None = None, *, units: Scope) -> None:
    """Everything but whether its SKUs are free, for somebody who sees these units. Raises ``InvalidInput``."""
    if not any(draft.name.values()):
        raise InvalidInput(_("A product needs a name in at least one language."))
    if not draft.variants:
        raise InvalidInput(_("A product needs at least one variant."))
    if not draft.ways:
        raise InvalidInput(_("A product needs at least one way to pay."))
    if draft.kind not in KINDS:
        raise InvalidInput(_("Please choose what kind of product this is."))
    refuse_typed_stock(draft.kind, sum(variant.stock for variant in draft.variants if variant.id is None))
    _check_grants(draft, product, units)
    if not all(int(way.points) >= 0 <= way.cash.amount and (way.points or way.cash) for way in draft.ways):
        raise InvalidInput(_("A way to pay takes points, or money, or both."))
    if draft.limit and (draft.limit.pieces < 1 or draft.limit.period not in PERIODS):
        raise InvalidInput(_("A limit is one piece or more, in one of the periods of the list."))
    window = draft.window
    if window.start and window.until and window.start >= window.until:
        raise InvalidInput(_("The sale would end before it begins. Please check both moments."))


def _check_grants(draft: ProductDraft, product: Product | None, units: Scope) -> None:
    """What grants something names one that its unit may sell now, or keeps what it named before."""
    if draft.kind not in GRANTING:
        if draft.grants:
            raise InvalidInput(_("Only a course, a benefit or a draw entry grants something."))
        return
    before = (product.kind, product.grants, product.unit_id) if product else None
    if before == (draft.kind, draft.grants, draft.unit_id):
        return
    if not may_sell(draft.kind, draft.grants, unit_id=draft.unit_id, units=units):
        raise GrantNotOffered


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
    product.unit_id, product.category_id = draft.unit_id, draft.category_id
    product.kind, product.grants = draft.kind, draft.grants
    product.name, product.description = texts_only(draft.name), texts_only(draft.description)
    product.list_price, product.currency = draft.list_price.amount, draft.list_price.currency
    product.brand_id, product.tier_id = draft.brand_id, draft.tier_id
    product.on_sale_from, product.on_sale_until = draft.window.start, draft.window.until
    product.limit_pieces = draft.limit.pieces if draft.limit else None
    product.limit_period = draft.limit.period if draft.limit else None
    product.points_from, product.price_from = sort_keys(draft.ways, draft.list_price)


def texts_only(texts: Mapping[str, str]) -> dict[str, str]:
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
            variant.sku, variant.name = wanted.sku, texts_only(wanted.name)
            variant.active, variant.rank = wanted.active, rank
        else:
            raise NotFound(_("One of the variants does not belong to this product."))
    product.variants.extend(added)
    _flush(draft)
    for variant in added:
        if variant.stock:
            note_movement(variant, change=variant.stock, stock=variant.stock, reason="delivery", by=by, now=now)


def _new_variant(draft: VariantDraft, rank: int) -> Variant:
    return Variant(sku=draft.sku, name=texts_only(draft.name), stock=draft.stock, active=draft.active, rank=rank)


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
    taken = wanted in RESERVED or queries.slug_taken(wanted)
    return _longer(wanted) if taken else wanted


def snapshot(product: Product) -> dict[str, Any]:
    """What the audit log compares."""
    return {
        "unit": product.unit_id,
        "category": product.category_id,
        "kind": product.kind,
        "grants": product.grants,
        "name": dict(product.name),
        "description": dict(product.description),
        "list_price": str(product.worth),
        "ways": sorted([price.points, price.cash] for price in product.prices),
        "variants": [[variant.sku, dict(variant.name), variant.active] for variant in product.variants],
        "brand": product.brand_id,
        "on_sale": [moment.isoformat() if moment else None for moment in (product.on_sale_from, product.on_sale_until)],
        "tier": product.tier_id,
        "limit": [product.limit_pieces, product.limit_period] if product.limit_pieces else None,
    }
