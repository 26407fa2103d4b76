"""The first chapter: the group opens its shops, hires colleagues and fills the mall."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from app.entrypoints.demo import content, times, vouchers
from app.entrypoints.demo.content import ProductSheet
from app.entrypoints.demo.pictures import Design, store_all
from app.entrypoints.demo.world import Goods, World
from app.foundation.actors import SYSTEM
from app.foundation.database import transaction
from app.foundation.points import Points
from app.identity.staff.actions import create_staff
from app.identity.units.actions import open_unit
from app.identity.units.queries import units_by_code
from app.loyalty.tiers.queries import ladder
from app.mall.catalog import actions as catalog
from app.mall.catalog.jobs import count_popularity
from app.mall.catalog.queries import all_categories, brand_by_code
from app.mall.catalog.rules import Limit, ProductDraft, VariantDraft, Way, Window

DAWN = 430  # Days ago.


def open_shops(world: World, *, password: str, now: datetime) -> None:
    """Units and staff accounts, by the system; everything later is done by these colleagues."""
    with transaction():
        present = units_by_code()
        for code, name in content.units().items():
            unit = present.get(code) or open_unit(code=code, name=name, by=SYSTEM, now=now)
            present[code], world.units[code] = unit, unit.id
        for sheet in content.staff(world.locale):
            person = create_staff(
                email=sheet["email"],
                password=password,
                name=sheet["name"],
                role=sheet["role"],
                units=[present[code] for code in sheet["units"]],
                by=world.colleagues.get("owner", SYSTEM),
                now=now,
            )
            world.colleagues[sheet["role"]] = person.actor
            if sheet["units"]:
                world.shops_of_merchant = frozenset(sheet["units"])
        for code, name in content.brands().items():
            catalog.create_brand(code=code, name=name, by=world.colleagues["owner"], now=now)


def note_products(world: World, designs: dict[Design, str]) -> None:
    """Each product comes into the mall on a day of its own."""
    for place, sheet in enumerate(content.products()):
        moment = world.diary.at(sheet.age, 8 + place % 3, place % 60)

        def add(now: datetime, sheet: ProductSheet = sheet) -> None:
            files = [designs[design] for design in designs_of(sheet)]
            with transaction():
                _add(world, sheet, files, now=now)

        world.diary.note(moment, add)
    world.diary.note(world.diary.end, lambda now: count_popularity(now=now))


def designs_of(sheet: ProductSheet) -> list[Design]:
    return [Design(emoji, sheet.tone) for emoji in sheet.pictures]


def draw_pictures(sheets: Iterable[ProductSheet]) -> dict[Design, str]:
    return store_all([design for sheet in sheets for design in designs_of(sheet)])


def _add(world: World, sheet: ProductSheet, files: list[str], *, now: datetime) -> None:
    by = world.colleagues["owner"] if sheet.kind == "coupon" else world.fulfiller(sheet.unit)  # A gift is no unit's.
    product = catalog.create_product(draft=_draft(world, sheet), by=by, now=now)
    catalog.attach_pictures(product=product, files=files, by=by, now=now)
    if sheet.kind == "code":
        for variant in product.variants:
            vouchers.fill_pool(variant.id, sheet, share_of(sheet), by=by, now=now)
    if sheet.kind == "service":
        for variant in product.variants:
            times.note_times(world, sheet.sku, variant.id, sheet.unit)
    if sheet.status != "draft":
        catalog.list_product(product=product, by=by, now=now)
    elif sheet.listed_in:
        catalog.list_product(product=product, by=by, now=now, at=_in_days(world, sheet.listed_in))
    if sheet.status == "archived":
        catalog.archive_product(product=product, by=by, now=now)
    # The members of the story take what everybody may have already.
    if sheet.status == "listed" and sheet.stock and not (sheet.tier or sheet.sale[0]):
        world.goods += [
            Goods(sheet.sku, way, variant.id, price.id, price.points, price.cash, sheet.kind, sheet.unit, now)
            for variant in product.variants
            for way, price in enumerate(sorted(product.prices, key=lambda price: price.cash))
            if price.points
        ]


def share_of(sheet: ProductSheet) -> int:
    """Pieces of each variant to begin with."""
    return sheet.stock // max(1, len(sheet.variants))


def _in_days(world: World, days: int | None) -> datetime | None:
    """Ten in the morning so many days from now, the end of the story."""
    return None if days is None else world.diary.at(-days, 10)


def _draft(world: World, sheet: ProductSheet) -> ProductDraft:
    share = 0 if sheet.kind in ("code", "service") else share_of(sheet)
    variants = [
        VariantDraft(sku=f"{sheet.sku}-{variant['sku']}", name=variant["name"], stock=share)
        for variant in sheet.variants
    ]
    categories = {category.code: category.id for category in all_categories()}
    brand = brand_by_code(sheet.brand)
    tiers = {tier.code: tier.id for tier in ladder()}
    ways = [Way(Points(points), content.money(cash, world.currency)) for points, cash in sheet.ways]
    if sheet.money:
        ways.append(Way(Points(0), content.money(sheet.money, world.currency)))
    return ProductDraft(
        unit_id=world.units[sheet.unit],
        category_id=categories[sheet.category],
        kind=sheet.kind,
        grants=sheet.grants,
        name=sheet.name,
        description=sheet.description,
        list_price=content.money(sheet.worth, world.currency),
        ways=ways,
        variants=variants or [VariantDraft(sku=sheet.sku, stock=share)],
        brand_id=brand.id if brand else None,
        window=Window(*(_in_days(world, days) for days in sheet.sale)),
        tier_id=tiers.get(sheet.tier),
        limit=Limit(*sheet.limit) if sheet.limit else None,
    )
