"""How staff fill the shelves."""

from __future__ import annotations

from io import BytesIO

import pytest
import sqlalchemy as sa

from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.mall.catalog import grants, pictures
from app.mall.catalog.actions import Grantable, Grantor, update_product
from app.mall.catalog.models import Product, StockMovement, Variant
from tests.cast import employ, make_unit, sign_in
from tests.conftest import NOON
from tests.mall.catalog.shelf import (
    CLERK,
    audit_trail,
    counted,
    draft,
    first_variant,
    found,
    make_category,
    photo,
    product,
    put_on_shelf,
)

OFFICE = "/backoffice/products"
PICTURE_PATHS = ("", "/1", "/1/removal")


def filled(**changes):
    """The form for a new product as a merchant would fill it."""
    form = {
        "unit": "mall",
        "category": "tea",
        "kind": "physical",
        "name_en": "Green tea",
        "name_zh_Hans": "绿茶",
        "name_zh_Hant": "",
        "description_en": "Fresh **leaves**",
        "list_price": "59.00",
        "ways-0-points": "380",
        "ways-0-cash": "",
        "ways-1-points": "200",
        "ways-1-cash": "12.5",
        "ways-2-points": "",
        "ways-2-cash": "",
        "variants-0-id": "",
        "variants-0-sku": "tea-250",
        "variants-0-stock": "10",
        "variants-0-active": "y",
    }
    return {**form, **changes}


def edited(slug, **changes):
    """The form for an existing product as its page shows it."""
    tea = product(slug)
    shown = {
        "revision": str(tea.revision),
        "ways-1-points": "",
        "ways-1-cash": "",
        "variants-0-id": str(tea.variants[0].id),
        "variants-0-sku": tea.variants[0].sku,
    }
    return filled(**{**shown, **changes})


def how_many(table):
    return db.session.scalar(sa.select(sa.func.count()).select_from(table))


@pytest.fixture
def office(client, merchant, teas):
    """Mei, merchant of the mall, at her desk."""
    return sign_in(client, merchant)


# --- making -----------------------------------------------------------------------------------


def test_a_merchant_makes_a_product_in_two_languages_with_two_ways_to_pay_and_stock(app, office):
    answer = office.post(OFFICE, data=filled())
    assert answer.status_code == 303
    tea = product("green-tea")
    assert answer.location.endswith("/backoffice/products/green-tea")
    assert (tea.name, tea.status) == ({"en": "Green tea", "zh_Hans": "绿茶"}, "draft")
    assert (tea.list_price, tea.currency) == (5900, "CNY")
    assert [(price.points, price.cash) for price in tea.prices] == [(380, 0), (200, 1250)]
    assert [(variant.sku, variant.stock, variant.active) for variant in tea.variants] == [("TEA-250", 10, True)]
    assert "绿茶" in tea.search_text
    assert "tea-250" in tea.search_text
    assert audit_trail()[-1] == "product.create"
    assert how_many(StockMovement) == 1


def test_one_language_is_enough_whichever(app, office):
    assert office.post(OFFICE, data=filled(name_en="", name_zh_Hans="绿茶")).status_code == 303
    made = db.session.scalars(sa.select(Product)).one()
    assert made.slug.startswith("product-")


def test_two_products_of_one_name_have_two_addresses_and_none_is_called_new(app, office):
    office.post(OFFICE, data=filled(name_en="New"))
    office.post(OFFICE, data=filled(name_en="New", **{"variants-0-sku": "TEA-2"}))
    slugs = set(db.session.scalars(sa.select(Product.slug)))
    assert len(slugs) == 2
    assert "new" not in slugs


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"list_price": "1e9"}, "with digits and a point only"),
        ({"list_price": "-5"}, "cannot be negative"),
        ({"list_price": "1.234"}, "at most 2 digits after the point"),
        ({"list_price": "1,234"}, "with digits and a point only"),
        ({"list_price": "9" * 17}, "too large"),
        ({"list_price": "9" * 4000}, "with digits and a point only"),
        ({"list_price": "NaN"}, "with digits and a point only"),
        ({"list_price": ""}, "with digits and a point only"),
        ({"ways-0-points": "1e3"}, "whole number"),
        ({"ways-0-points": "3.5"}, "whole number"),
        ({"ways-0-points": "1_000"}, "whole number"),
        ({"ways-0-points": "-1"}, "from 0 to"),
        ({"ways-0-points": "0"}, "points, or money, or both"),
        ({"ways-0-points": "9" * 18}, "from 0 to"),
        ({"ways-1-cash": "-1"}, "cannot be negative"),
        ({"ways-1-cash": "1.005"}, "at most 2 digits"),
        ({"ways-1-points": "0", "ways-1-cash": "0"}, "points, or money, or both"),
        ({"on_sale_from": "tomorrow"}, "a day and a time"),
        ({"on_sale_from": "2026-02-30T10:00"}, "a day and a time"),
        ({"on_sale_until": "99999-01-01T00:00"}, "a day and a time"),
        ({"on_sale_from": "2026-12-01T10:00", "on_sale_until": "2026-12-01T10:00"}, "end before it begins"),
        ({"limit_pieces": "0", "limit_period": "month"}, "from 1 to"),
        ({"limit_pieces": "2", "limit_period": "fortnight"}, "one of the list"),
        ({"brand": "nobody"}, "one of the list"),
        ({"tier": "emperor"}, "one of the list"),
        ({"ways-1-points": "380", "ways-1-cash": "0.00"}, "there twice"),
        ({"ways-0-points": "", "ways-1-points": "", "ways-1-cash": ""}, "at least one way to pay"),
        ({"variants-0-sku": "", "variants-0-stock": ""}, "at least one variant"),
        ({"variants-0-sku": ""}, "A SKU is"),
        ({"variants-0-sku": "<b>"}, "A SKU is"),
        ({"variants-0-sku": "x" * 61}, "A SKU is"),
        ({"variants-0-stock": "-1"}, "from 0 to"),
        ({"variants-0-stock": "many"}, "whole number"),
        ({"variants-1-sku": "TEA-250"}, "there twice"),
        ({"name_en": "", "name_zh_Hans": ""}, "at least one language"),
        ({"name_en": "<script>alert(1)</script>"}, "without &lt; and &gt;"),
        ({"name_en": "x" * 121}, "120 characters"),
        ({"variants-0-name_en": "<b>Blue</b>"}, "without &lt; and &gt;"),
        ({"description_en": "x" * 20_001}, "20000 characters"),
        ({"description_en": "a\x07b"}, "invisible characters"),
        ({"unit": "1"}, "choose one of the list"),
        ({"unit": "elsewhere"}, "choose one of the list"),
        ({"unit": ""}, "choose one of the list"),
        ({"category": "nothing"}, "choose one of the list"),
        ({"kind": "weapon"}, "choose one of the list"),
    ],
)
def test_nonsense_is_answered_with_a_sentence_and_nothing_is_saved(app, office, changes, sentence):
    make_unit("elsewhere")
    answer = office.post(OFFICE, data=filled(**changes))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "Fresh **leaves**" in answer.text or "description_en" in changes
    assert (how_many(Product), how_many(Variant)) == (0, 0)


def test_a_form_without_any_rows_is_answered_with_sentences(app, office):
    answer = office.post(OFFICE, data={"name_en": "Green tea", "unit": "mall", "category": "tea", "kind": "physical"})
    assert answer.status_code == 422
    assert "at least one variant" in answer.text
    assert "at least one way to pay" in answer.text


def test_absurd_row_numbers_do_no_harm(app, office):
    absurd = {"ways-²-points": "5", f"ways-{'9' * 5000}-points": "5", "variants-x-sku": "A", "ways-999-points": "7"}
    assert office.post(OFFICE, data=filled(**absurd)).status_code == 303


def test_a_nul_byte_is_refused_and_nothing_is_saved(app, office):
    answer = office.post(OFFICE, data=filled(name_en="Green\x00tea"))
    assert answer.status_code in (400, 422)
    assert how_many(Product) == 0


def test_a_sku_of_another_product_is_refused_beside_its_field(app, office):
    office.post(OFFICE, data=filled())
    answer = office.post(OFFICE, data=filled(name_en="Other tea"))
    assert answer.status_code == 422
    assert "Another product already has this SKU." in answer.text
    assert how_many(Product) == 1


def test_another_row_can_be_had_without_a_script_and_saves_nothing(app, office):
    answer = office.post(OFFICE, data=filled(more="ways", list_price="half typed"))
    assert answer.status_code == 200
    assert "ways-3-points" in answer.text
    assert "half typed" in answer.text
    assert how_many(Product) == 0
    part = office.post(OFFICE, data=filled(more="variants"), headers={"HX-Request": "true", "HX-Target": "variants"})
    assert "variants-1-sku" in part.text
    assert "<html" not in part.text


# --- editing ----------------------------------------------------------------------------------


def test_an_edit_changes_texts_ways_and_variants_but_never_stock(app, office):
    slug = put_on_shelf("Tea", ways=((380, 0), (500, 0)), stock=10)
    kept = {price.points: price.id for price in product(slug).prices}
    another = {"variants-1-sku": "NEW-1", "variants-1-stock": "4", "variants-1-active": "y"}
    answer = office.post(f"{OFFICE}/{slug}", data=edited(slug, **another, **{"variants-0-stock": "999"}))
    assert answer.status_code == 303
    tea = product(slug)
    assert tea.name["zh_Hans"] == "绿茶"
    assert [(price.points, price.cash, price.id) for price in tea.prices] == [(380, 0, kept[380])]
    assert [(variant.stock, variant.active) for variant in tea.variants] == [(10, True), (4, True)]
    assert tea.revision == 2
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "product.update")).one()
    assert entry.before["name"] == {"en": "Tea"}
    assert entry.after["name"] == {"en": "Green tea", "zh_Hans": "绿茶"}
    assert "kind" not in entry.after


def test_the_edit_form_shows_what_is_saved_and_saving_it_unchanged_changes_nothing(app, office):
    office.post(OFFICE, data=filled())
    page = office.get(f"{OFFICE}/green-tea/edit").text
    for text in ("Green tea", "绿茶", "59.00", "380", "12.50", "TEA-250"):
        assert text in page
    unchanged = edited("green-tea", **{"ways-1-points": "200", "ways-1-cash": "12.50"})
    office.post(f"{OFFICE}/green-tea", data=unchanged)
    assert "product.update" not in audit_trail()


def test_what_two_people_save_at_once_is_not_lost(app, office):
    slug = put_on_shelf("Tea")
    mine = edited(slug, name_en="My tea")
    theirs = draft("Their tea", variants=[variant_as_it_is(product(slug))])
    with transaction():
        tea = found(slug)
        update_product(product=tea, draft=theirs, revision=tea.revision, by=CLERK, now=NOON)
    answer = office.post(f"{OFFICE}/{slug}", data=mine)
    assert answer.status_code == 409
    assert "Somebody else saved this product" in answer.text
    assert "My tea" in answer.text
    assert product(slug).name == {"en": "Their tea"}
    # The form that came back knows the saved revision: sending it again is a decision.
    revision = answer.text.split('name="revision"')[1].split('value="')[1].split('"')[0]
    assert office.post(f"{OFFICE}/{slug}", data={**mine, "revision": revision}).status_code == 303
    assert product(slug).name["en"] == "My tea"


def variant_as_it_is(tea):
    from app.mall.catalog.rules import VariantDraft

    return VariantDraft(id=tea.variants[0].id, sku=tea.variants[0].sku)


@pytest.mark.parametrize("revision", ["", "x", "-1", "99", "9" * 40])
def test_a_revision_nobody_gave_out_saves_nothing(app, office, revision):
    slug = put_on_shelf("Tea")
    assert office.post(f"{OFFICE}/{slug}", data=edited(slug, revision=revision)).status_code == 409
    assert product(slug).name == {"en": "Tea"}


def test_a_variant_left_out_goes_off_sale_and_keeps_its_stock(app, office):
    slug = put_on_shelf("Tea", stock=5)
    fresh = {"variants-0-id": "", "variants-0-sku": "NEW-1", "variants-0-stock": "1"}
    assert office.post(f"{OFFICE}/{slug}", data=edited(slug, **fresh)).status_code == 303
    assert {(variant.stock, variant.active) for variant in product(slug).variants} == {(5, False), (1, True)}


@pytest.mark.parametrize("foreign", ["theirs", "x", "9" * 30])
def test_a_variant_of_another_product_cannot_be_taken_over(app, office, foreign):
    slug, other = put_on_shelf("Tea"), put_on_shelf("Cup")
    variant_id = str(first_variant(other).id) if foreign == "theirs" else foreign
    answer = office.post(
        f"{OFFICE}/{slug}", data=edited(slug, **{"variants-0-id": variant_id, "variants-0-sku": "A-1"})
    )
    assert answer.status_code in (404, 422)
    assert first_variant(other).sku != "A-1"
    assert product(slug).name == {"en": "Tea"}


def test_a_copy_is_a_draft_with_skus_of_its_own_and_no_stock(app, office):
    slug = put_on_shelf("Tea", stock=5)
    answer = office.post(f"{OFFICE}/{slug}/copy")
    copy = product(answer.location.split("/")[-2])
    assert (copy.name, copy.status, copy.slug != slug) == ({"en": "Tea"}, "draft", True)
    assert copy.variants[0].stock == 0
    assert copy.variants[0].sku.startswith(first_variant(slug).sku)
    assert first_variant(slug).stock == 5


# --- listing ------------------------------------------------------------------------------------


def test_listing_shows_a_product_to_members_and_archiving_takes_it_away(app, office):
    slug = put_on_shelf("Tea", listed=False)
    assert office.get(f"/mall/{slug}").status_code == 404
    office.post(f"{OFFICE}/{slug}/listing")
    assert office.get(f"/mall/{slug}").status_code == 200
    office.post(f"{OFFICE}/{slug}/listing/removal")
    assert office.get(f"/mall/{slug}").status_code == 404
    assert audit_trail()[-2:] == ["product.listed", "product.archived"]
    office.delete(f"{OFFICE}/{slug}/listing")
    assert audit_trail().count("product.archived") == 1  # Nothing changed, so nothing is noted.


def test_a_product_without_a_variant_on_sale_is_not_listed(app, office):
    from app.mall.catalog.rules import VariantDraft

    slug = put_on_shelf("Tea", listed=False, variants=[VariantDraft(sku="A-1", active=False)])
    assert office.post(f"{OFFICE}/{slug}/listing").status_code == 422
    assert product(slug).status == "draft"


# --- stock --------------------------------------------------------------------------------------


def moved(slug, **changes):
    variant = str(first_variant(slug).id)
    return {"variant": variant, "reason": "delivery", "change": "20", "reference": "DN-77", **changes}


def test_a_delivery_and_a_correction_change_the_stock_with_their_reason(app, office):
    slug = put_on_shelf("Tea", stock=5)
    office.post(f"{OFFICE}/{slug}/stock", data=moved(slug))
    office.post(f"{OFFICE}/{slug}/stock", data=moved(slug, reason="correction", change="-2", reference="counted"))
    assert first_variant(slug).stock == 23
    page = office.get(f"{OFFICE}/{slug}").text
    assert "DN-77" in page
    assert "Mei Zhao" in page
    assert audit_trail()[-2:] == ["stock.change", "stock.change"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"change": "0"}, "Nothing would change"),
        ({"change": "-1"}, "A delivery brings pieces"),
        ({"change": "1.5"}, "whole number"),
        ({"change": "1+2"}, "whole number"),
        ({"change": "9999999"}, "from -1000000 to 1000000"),
        ({"reason": "correction", "change": "-6"}, "Only 5 pieces"),
        ({"reason": "theft"}, "choose one of the list"),
        ({"reason": "order"}, "choose one of the list"),
        ({"variant": "0"}, "choose one of the list"),
        ({"reference": "<b>"}, "without &lt; and &gt;"),
        ({"reference": "x" * 81}, "80 characters"),
    ],
)
def test_a_stock_change_that_makes_no_sense_changes_nothing(app, office, changes, sentence):
    slug = put_on_shelf("Tea", stock=5)
    answer = office.post(f"{OFFICE}/{slug}/stock", data=moved(slug, **changes))
    assert answer.status_code in (409, 422)
    assert sentence in answer.text
    assert first_variant(slug).stock == 5
    assert how_many(StockMovement) == 1


def test_the_stock_of_another_products_variant_cannot_be_changed_through_this_one(app, office):
    slug, other = put_on_shelf("Tea"), put_on_shelf("Cup", stock=5)
    answer = office.post(f"{OFFICE}/{slug}/stock", data=moved(slug, variant=str(first_variant(other).id)))
    assert answer.status_code == 422
    assert first_variant(other).stock == 5


# --- pictures -------------------------------------------------------------------------------------


def upload(office, slug, *files):
    data = {"pictures": [(stream, name) for stream, name in files]}
    return office.post(f"{OFFICE}/{slug}/pictures", data=data, content_type="multipart/form-data")


def test_uploaded_pictures_stand_on_the_page_and_on_the_card(app, office):
    slug = put_on_shelf("Tea")
    assert upload(office, slug, (photo(), "a.jpg"), (photo(form="PNG"), "b.png")).status_code == 303
    first, second = product(slug).pictures
    assert f"/media/{first.file}-400.webp" in office.get("/mall").text
    page = office.get(f"/mall/{slug}").text
    assert f"/media/{first.file}-1200.webp" in page
    assert f"/media/{second.file}-1200.webp" in page
    office.post(f"{OFFICE}/{slug}/pictures/{second.id}", data={"place": "0"})
    assert [picture.id for picture in product(slug).pictures] == [second.id, first.id]
    office.post(f"{OFFICE}/{slug}/pictures/{second.id}/removal")
    assert [picture.id for picture in product(slug).pictures] == [first.id]


def test_one_bad_file_is_named_and_none_is_added(app, office):
    slug = put_on_shelf("Tea")
    answer = upload(office, slug, (photo(), "good.jpg"), (BytesIO(b"<svg onload=alert(1)>"), "<b>bad.jpg"))
    assert answer.status_code == 422
    assert "not a picture we can read" in answer.text
    assert "<b>bad" not in answer.text
    assert product(slug).pictures == []


def test_no_file_and_too_large_a_file_get_a_sentence(app, office):
    slug = put_on_shelf("Tea")
    assert "choose a picture first" in upload(office, slug).text
    large = BytesIO(photo().getvalue() + b"\0" * pictures.MOST_BYTES)
    assert "8 MB" in upload(office, slug, (large, "large.jpg")).text
    assert product(slug).pictures == []


# --- who may, and what ------------------------------------------------------------------------------


def test_a_merchant_sees_and_changes_only_the_products_of_their_own_units(app, office):
    slug = put_on_shelf("Foreign tea", unit="cinema")
    put_on_shelf("Own tea")
    shelf = office.get(OFFICE).text
    assert "Own tea" in shelf
    assert "Foreign tea" not in shelf
    assert "Foreign tea" not in office.get(f"{OFFICE}?unit=cinema").text
    attempts = {
        "GET": ["", "/edit"],
        "POST": [
            "",
            "/copy",
            "/listing",
            "/listing/removal",
            "/stock",
            "/pictures",
            "/pictures/1",
            "/pictures/1/removal",
        ],
        "DELETE": ["/listing"],
    }
    for method, paths in attempts.items():
        for path in paths:
            data = {**moved(slug), "place": "0"} if method == "POST" else None
            answer = office.open(f"{OFFICE}/{slug}{path}", method=method, data=data)
            assert answer.status_code == 404, f"{method} {path}"
    assert (product(slug).status, first_variant(slug).stock) == ("listed", 10)
    assert how_many(Product) == 2


def test_a_product_cannot_be_moved_into_a_foreign_unit(app, office):
    make_unit("cinema")
    slug = put_on_shelf("Tea")
    assert office.post(f"{OFFICE}/{slug}", data=edited(slug, unit="cinema")).status_code == 422
    assert product(slug).unit_id == make_unit("mall").id


def test_a_merchant_sees_nothing_of_other_units(app, client):
    slug = put_on_shelf("Tea", unit="cinema")
    desk = sign_in(client, employ("merchant", "Nobody", (make_unit("kiosk"),)))
    assert "No products yet" in desk.get(OFFICE).text
    assert desk.get(f"{OFFICE}/{slug}").status_code == 404


@pytest.mark.parametrize("role", ["agent", "auditor"])
def test_who_only_reads_sees_every_unit_and_no_way_to_change(app, client, role):
    slug = put_on_shelf("Tea", unit="cinema")
    desk = sign_in(client, employ(role, "Reader"))
    page = desk.get(f"{OFFICE}/{slug}").text
    assert "Tea" in page
    assert f"{OFFICE}/{slug}/" not in page
    assert desk.get(f"{OFFICE}/new").status_code == 403
    assert desk.post(f"{OFFICE}/{slug}/stock", data=moved(slug)).status_code == 403
    assert first_variant(slug).stock == 10


def test_members_do_not_come_in(app, client, alice):
    assert sign_in(client, alice).get(OFFICE).status_code == 403


def test_the_list_is_searched_and_filtered_and_paged(app, office, monkeypatch):
    make_category("cups", "Cups", "杯")
    for number in range(3):
        put_on_shelf(f"Tea {number}", listed=number > 0)
    put_on_shelf("Cup", category="cups")
    assert "Tea 0" in office.get(f"{OFFICE}?status=draft").text
    assert "Tea 1" not in office.get(f"{OFFICE}?status=draft").text
    assert "Tea" not in office.get(f"{OFFICE}?category=cups&q=tea").text.split('id="results"')[1]
    assert "Tea 2" in office.get(f"{OFFICE}?q=TEA+2").text
    assert "Nothing found" in office.get(f"{OFFICE}?category=unknown").text
    monkeypatch.setattr("app.mall.catalog.admin.shelf.PAGE", 2)
    first = office.get(OFFICE).text
    assert "Tea 1" not in first
    address = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "Tea 1" in office.get(address).text


def test_the_number_of_queries_for_the_list_does_not_grow_with_the_number_of_products(app, office):
    put_on_shelf("Tea 0")
    office.get(OFFICE)
    with counted() as few:
        office.get(OFFICE)
    for number in range(1, 10):
        put_on_shelf(f"Tea {number}", ways=((100, 0), (50, 500)))
    with counted() as many:
        office.get(OFFICE)
    assert len(many) == len(few)


def test_what_is_sold_out_stands_on_the_start_page_and_can_be_listed(app, office):
    put_on_shelf("Full", stock=1)
    put_on_shelf("Empty", stock=0)
    put_on_shelf("Draft", stock=0, listed=False)
    put_on_shelf("Foreign", stock=0, unit="cinema")
    assert "products?stock=none" in office.get("/backoffice/").text
    page = office.get(f"{OFFICE}?stock=none").text
    assert "Empty" in page
    assert not any(name in page.split('id="results"')[1] for name in ("Full", "Draft", "Foreign"))


# --- what is granted instead of goods ---------------------------------------------------------


def test_the_editor_offers_only_what_somebody_has_to_give_and_keeps_what_was_withdrawn(app, office, unit, monkeypatch):
    there = [Grantable("brewing", "Brewing tea", unit.id)]
    nothing = dict.fromkeys(("give", "take_back", "unused", "link"), None)
    grantor = Grantor(kind="course", label="Courses", choices=lambda: there, invitation="Go", **nothing)
    monkeypatch.setattr(grants, "_grantors", {"course": grantor})
    page = office.get(f"{OFFICE}/new").text
    assert 'value="course:brewing"' in page
    assert 'value="draw' not in page
    assert office.post(OFFICE, data=filled(kind="course:brewing")).status_code == 303
    assert (product("green-tea").kind, product("green-tea").grants) == ("course", "brewing")
    for nonsense in ("course:unheard-of", "course", "draw:x", "physical:brewing"):
        answer = office.post(OFFICE, data=filled(kind=nonsense, **{"variants-0-sku": "T-2"}))
        assert answer.status_code == 422
    there.clear()
    assert 'value="course:brewing"' in office.get(f"{OFFICE}/green-tea/edit").text
    assert office.post(f"{OFFICE}/green-tea", data=edited("green-tea", kind="course:brewing")).status_code == 303
    assert 'value="course:brewing"' not in office.get(f"{OFFICE}/new").text
