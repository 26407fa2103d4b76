"""A unit sells access to its own courses; what is the programme's is sold by colleagues who see all units."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput
from app.mall.catalog.actions import create_product, update_product
from app.mall.catalog.models import Product
from app.mall.catalog.sheets.drafts import draft_of
from app.mall.catalog.stockroom import product_of_units
from tests.cast import employ, make_unit, sign_in
from tests.community.courses.making import make_course
from tests.conftest import NOON
from tests.loyalty.benefits.having import entry, offer
from tests.mall.catalog.shelf import CLERK, draft
from tests.mall.catalog.test_sheets import NEW, send, sheet

OURS, THEIRS, ALL = "course:barista", "course:baking", ("course:programme", "coupon:coupon-pack")
FORM = {
    "unit": "mall",
    "category": "tea",
    "name_en": "To learn",
    "list_price": "59",
    "ways-0-points": "100",
    "ways-0-cash": "0",
    "variants-0-sku": "LEARN-1",
    "variants-0-stock": "5",
    "variants-0-active": "y",
}


@pytest.fixture
def courses(teas, unit):
    bakery = make_unit("bakery", "Bakery")
    for code, unit_id in (("barista", unit.id), ("baking", bakery.id), ("programme", None)):
        make_course(code, open_to_all=False, unit_id=unit_id)
    offer(entry("coupon_pack", gifts=[{"points": 50}], series="cake", period="once"))


def products():
    db.session.rollback()
    return db.session.scalars(sa.select(Product.grants).order_by(Product.id)).all()


def test_a_merchant_is_offered_the_courses_of_their_units_only(client, merchant, courses):
    page = sign_in(client, merchant).get("/backoffice/products/new").text
    assert OURS in page
    assert not [each for each in (THEIRS, *ALL) if each in page]


def test_who_sees_all_units_is_offered_all(client, owner, courses):
    page = sign_in(client, owner).get("/backoffice/products/new").text
    assert all(each in page for each in (OURS, THEIRS, *ALL))


@pytest.mark.parametrize("kind", [THEIRS, *ALL])
def test_a_merchant_who_sends_another_one_all_the_same_sells_nothing(client, merchant, courses, kind):
    page = sign_in(client, merchant).post("/backoffice/products", data=FORM | {"kind": kind})
    assert page.status_code == 422
    assert products() == []


def test_a_merchant_sells_their_own_course(client, merchant, courses):
    assert sign_in(client, merchant).post("/backoffice/products", data=FORM | {"kind": OURS}).status_code == 303
    assert products() == ["barista"]


def test_whoever_has_two_units_does_not_mix_them(client, courses, unit):
    both = employ("merchant", "Bao Zhu", (unit, make_unit("bakery", "Bakery")))
    page = sign_in(client, both).post("/backoffice/products", data=FORM | {"kind": THEIRS})
    assert page.status_code == 422
    assert "something that its unit may sell" in page.text
    assert products() == []


@pytest.mark.parametrize(("kind", "grants"), [each.split(":") for each in (THEIRS, *ALL)])
def test_a_sheet_sells_nothing_else_either(client, merchant, courses, kind, grants):
    office = sign_in(client, merchant)
    address = send(office, sheet(NEW | {"kind": kind, "grants": grants}))
    assert "something that its unit may sell" in office.get(address).text


def test_what_a_colleague_who_sees_all_units_made_is_changed_by_the_merchant_and_stays_what_it_is(
    client, merchant, owner, courses
):
    sign_in(client, owner).post("/backoffice/products", data=FORM | {"kind": ALL[0]})
    page = sign_in(client, merchant).get("/backoffice/products/to-learn/edit").text
    assert ALL[0] in page
    assert ALL[1] not in page
    db.session.rollback()
    with transaction():
        product = product_of_units(None, "to-learn")
        update_product(product=product, draft=draft_of(product), revision=1, by=merchant.actor, now=NOON)
    assert products() == ["programme"]


def test_who_is_no_colleague_any_more_sells_nothing_of_the_programme(courses):
    wanted = draft("Learn", kind="course", grants="programme")
    with pytest.raises(InvalidInput, match="may sell"), transaction():
        create_product(draft=wanted, by=CLERK, now=NOON)
