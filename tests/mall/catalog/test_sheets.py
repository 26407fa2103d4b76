"""Products go out as sheets and come back as sheets."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import timedelta

import pytest
import sqlalchemy as sa
from openpyxl import Workbook, load_workbook

from app.foundation.actors import Actor
from app.foundation.database import db, transaction
from app.foundation.sheets import UnusableFile
from app.mall.catalog import limits, stockroom
from app.mall.catalog.actions import archive_product, change_stock, create_brand, take_pieces, update_product
from app.mall.catalog.models import Product, StockMovement, Variant
from app.mall.catalog.rules import Limit, VariantDraft, Window
from app.mall.catalog.sheets import jobs, steps
from app.mall.catalog.sheets.drafts import draft_of
from app.mall.catalog.sheets.models import SheetImport, SheetRow
from app.mall.catalog.sheets.reading import read
from tests.cast import employ, make_unit, sign_in
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.catalog.shelf import CLERK, audit_trail, counted, first_variant, product, put_on_shelf
from tests.racing import ON_POSTGRESQL, at_once, barrier, meet_before

OFFICE = "/backoffice/products"
SHEETS = f"{OFFICE}/sheets"
NEW = {
    "unit": "mall",
    "category": "tea",
    "kind": "physical",
    "name_en": "White tea",
    "list_price": "59.00",
    "ways_to_pay": "200 pts | 100 pts + 12.00 | 59.00",
    "sku": "WHITE-1",
    "stock": "5",
}


@pytest.fixture
def office(client, merchant, teas):
    """Mei, merchant of the mall, at her desk."""
    return sign_in(client, merchant)


def sheet(*rows: dict[str, str], columns: list[str] | None = None) -> bytes:
    names = columns or list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def workbook(*rows: list[object]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def send(office, content: bytes, name: str = "tea.csv"):
    """To the dry run. Returns its address."""
    answer = office.post(SHEETS, data={"sheet": (io.BytesIO(content), name)})
    assert answer.status_code == 303, answer.text
    return answer.location


def send_and_import(office, content: bytes, name: str = "tea.csv") -> str:
    """To the result, as a page."""
    address = send(office, content, name)
    office.post(f"{address}/import")
    return office.get(address).text


def refused(office, content: bytes) -> str:
    """Why the file as a whole was not taken."""
    answer = office.post(SHEETS, data={"sheet": (io.BytesIO(content), "tea.csv")})
    assert answer.status_code == 422
    assert not how_many(SheetImport)
    return answer.text


def told() -> dict[int, tuple[str, list[str]]]:
    """Row → verdict and reasons, of the latest sheet."""
    db.session.rollback()
    db.session.expire_all()
    latest = sa.select(sa.func.max(SheetImport.id)).scalar_subquery()
    rows = db.session.scalars(sa.select(SheetRow).where(SheetRow.import_id == latest).order_by(SheetRow.number))
    return {row.number: (row.verdict, row.reasons) for row in rows}


def changes() -> dict[int, list[list[str]]]:
    told()
    return {row.number: row.changes for row in db.session.scalars(sa.select(SheetRow)) if row.changes}


def how_many(table) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def exported(office, query: str = "") -> list[dict[str, str]]:
    answer = office.get(f"{SHEETS}/products.csv{query}")
    text = answer.data.decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


# --- taking home --------------------------------------------------------------------------


def test_products_go_home_with_one_row_per_variant_and_everything_that_a_sheet_can_say(app, office):
    brand = {"code": "longjing", "name": {"en": "Longjing"}}
    with transaction():
        brand_id = create_brand(**brand, by=CLERK, now=NOON).id
    put_on_shelf(
        {"en": "Green tea", "zh_Hans": "绿茶"},
        ways=((200, 0), (100, 1200), (0, 5900)),
        variants=[VariantDraft(sku="G-1", name={"en": "250 g"}, stock=4), VariantDraft(sku="G-2", active=False)],
        description={"en": "Two\r\nlines"},
        brand_id=brand_id,
        limit=Limit(2, "month"),
        window=Window(NOON, NOON + timedelta(days=1)),
    )
    first, second = exported(office)
    assert first["product"] == second["product"] == "green-tea"
    assert (first["sku"], first["variant_name_en"], first["stock"], first["variant_on_sale"]) == (
        "G-1", "250 g", "4", "yes",
    )  # fmt: skip
    assert second["variant_on_sale"] == "no"
    wanted = {
        "unit": "mall",
        "category": "tea",
        "brand": "longjing",
        "kind": "physical",
        "name_zh_Hans": "绿茶",
        "description_en": "Two\nlines",
        "list_price": "59.00",
        "ways_to_pay": "200 pts | 100 pts + 12.00 | 59.00",
        "status": "listed",
        "listed_at": "2026-06-15 12:00",
        "on_sale_until": "2026-06-16 12:00",
        "limit": "2 per month",
        "stock_change": "",
    }
    assert {column: first[column] for column in wanted} == wanted


def test_what_goes_home_and_comes_back_untouched_changes_nothing_whichever_way(app, office):
    put_on_shelf("=Green tea", ways=((200, 0), (100, 1250)), description={"en": "-one\r\n-two"}, limit=Limit(1, "ever"))
    put_on_shelf({"zh_Hans": "'=红茶"}, listed=False)
    before = audit_trail()
    for kind in ("csv", "xlsx"):
        send_and_import(office, office.get(f"{SHEETS}/products.{kind}").data)
        assert told() == {2: ("same", []), 3: ("same", [])}
    assert set(audit_trail()[len(before) :]) == {"sheet.import"}
    assert product("green-tea").revision == 1


def test_a_name_that_a_spreadsheet_would_run_is_text_in_both_files(app, office):
    put_on_shelf('=HYPERLINK("https://evil.example")')
    assert exported(office)[0]["name_en"] == '\'=HYPERLINK("https://evil.example")'
    book = load_workbook(io.BytesIO(office.get(f"{SHEETS}/products.xlsx").data))
    kinds = {cell.data_type for row in book.active.iter_rows(min_row=2) for cell in row if cell.value is not None}
    assert kinds == {"s", "n"}


def test_the_lists_filters_choose_what_goes_home_and_other_units_stay(app, office):
    put_on_shelf("Green tea")
    put_on_shelf("Black tea", listed=False)
    put_on_shelf("Foreign tea", unit="harbour")
    assert [row["product"] for row in exported(office)] == ["black-tea", "green-tea"]
    assert [row["product"] for row in exported(office, "?status=draft")] == ["black-tea"]
    assert [row["product"] for row in exported(office, "?q=green")] == ["green-tea"]
    assert exported(office, "?unit=harbour") == []


def test_a_long_list_is_read_in_parts_of_four_queries(app, teas):
    for number in range(6):
        put_on_shelf(f"Tea {number}")
    for size, parts in ((6, 1), (2, 3)):
        with counted() as statements:
            assert len(list(stockroom.all_products(None, stockroom.Wanted(), at_once=size))) == 6
        assert len(statements) == parts * 4


# --- a dry run ----------------------------------------------------------------------------


def test_the_dry_run_shows_everything_field_by_field_and_changes_nothing(app, office):
    put_on_shelf("Green tea", variants=[VariantDraft(sku="G-1", stock=10)])
    before = audit_trail()
    address = send(
        office, sheet({"sku": "G-1", "name_en": "Greener tea", "list_price": "49.00", "stock_change": "+20"})
    )
    text = office.get(address).text
    assert told() == {2: ("update", [])}
    assert changes() == {
        2: [["name_en", "Green tea", "Greener tea"], ["list_price", "59.00", "49.00"], ["stock", "10", "30"]]
    }
    assert "Nothing is changed yet" in text
    assert "<del>59.00</del>" in text
    assert "Import 1 row" in text
    tea = product("green-tea")
    assert (tea.name, tea.list_price, tea.revision, tea.variants[0].stock) == ({"en": "Green tea"}, 5900, 1, 10)
    assert audit_trail() == before


def test_all_that_is_wrong_with_a_row_is_said_at_once_and_good_rows_go_on(app, office):
    put_on_shelf("Green tea", variants=[VariantDraft(sku="G-1", stock=10)])
    bad = {
        **NEW,
        "category": "shoes",
        "list_price": "-1",
        "sku": "no good",
        "stock": "1000000000",
        "limit": "2 a while",
    }
    address = send(office, sheet({**NEW, "limit": ""}, {**bad, "name_en": "Bad tea"}))
    verdict, reasons = told()[3]
    assert verdict == "refused"
    assert [reason.partition(":")[0] for reason in reasons] == ["category", "list_price", "limit", "sku"]
    assert told()[2] == ("create", [])
    text = office.get(address).text
    assert "No category has the code “shoes”." in text
    assert "An amount cannot be negative." in text
    office.post(f"{address}/import")
    assert product("white-tea").variants[0].stock == 5
    assert how_many(Product) == 2


NONSENSE: list[tuple[dict[str, str], str]] = [
    ({"name_en": "", "name_zh_Hans": ""}, "A product needs a name in at least one language."),
    ({"list_price": "1e9"}, "list_price: Please write an amount such as 129.00, with digits and a point only."),
    ({"list_price": "12.345"}, "list_price: CNY has at most 2 digits after the point."),
    ({"list_price": "99999999999999"}, "list_price: This amount is too large. Please check it."),
    ({"ways_to_pay": "0 pts"}, "ways_to_pay: A way to pay takes points, or money, or both."),
    ({"ways_to_pay": "5 pts | 5 pts"}, "ways_to_pay: This way to pay is there twice."),
    ({"ways_to_pay": "-5 pts"}, "ways_to_pay: An amount cannot be negative."),
    ({"ways_to_pay": "1 pts + 2.00 + 3.00"},
     "ways_to_pay: Please write a way to pay such as 200 pts, 100 pts + 12.00, or 59.00."),
    ({"kind": "magic"}, "kind: Please write one of: physical, code, service, course, coupon, draw."),
    ({"status": "gone"}, "status: Please write one of: draft, listed, archived."),
    ({"name_en": "<b>Tea</b>"}, "name_en: Please write plain text, without < and > and without invisible characters."),
    ({"stock": "1000000000"}, "stock: Please write a number from 0 to 1000000."),
    ({"stock": "", "stock_change": "-1"}, "stock_change: A new SKU has no pieces that could be taken away."),
    ({"stock_change": "5"}, "stock_change: A new SKU begins with stock or with stock_change, not with both."),
    ({"listed_at": "24.12.2026"}, "listed_at: Please write a day and a time, such as 2026-11-24 10:00."),
    ({"listed_at": "2027-01-01"}, "listed_at: only what is listed has such a moment. Write listed as its status."),
    ({"unit": "harbour"}, "unit: None of your business units has the code “harbour”."),
    ({"tier": "emperor"}, "tier: No tier above the first has the code “emperor”."),
    ({"brand": "nobody"}, "brand: No brand has the code “nobody”."),
    ({"grants": "x"}, "Only a course, a benefit or a draw entry grants something."),
    ({"kind": "", "list_price": ""}, "A new product needs: kind, list_price."),
    ({"product": "unheard-of"}, "None of your products is “unheard-of”."),
    ({"on_sale_from": "2026/7/2 9:30", "on_sale_until": "2026-07-01"},
     "The sale would end before it begins. Please check both moments."),
]  # fmt: skip


def test_what_makes_no_sense_is_refused_with_a_sentence(app, office):
    make_unit("harbour")
    rows = [{**NEW, "name_en": f"Tea {n}", "sku": f"T-{n}", **cells} for n, (cells, _) in enumerate(NONSENSE)]
    send_and_import(office, sheet(*rows))
    assert told() == {n: ("refused", [sentence]) for n, (_, sentence) in enumerate(NONSENSE, 2)}
    assert not how_many(Product)


# --- importing ----------------------------------------------------------------------------


def test_new_products_with_variants_appear_listed_and_with_stock_and_its_movement(app, office):
    rows = [{**NEW, "name_zh_Hans": "白茶", "variant_name_en": size, "sku": sku, "status": "listed"}
            for size, sku in (("100 g", "w-1"), ("250 g", "w-2"))]  # fmt: skip
    text = send_and_import(
        office, sheet(*rows, {**NEW, "name_en": "Oolong", "sku": "O-1", "stock": "", "stock_change": "+7"})
    )
    assert "All rows are imported." in text
    tea = product("white-tea")
    assert (tea.status, tea.name) == ("listed", {"en": "White tea", "zh_Hans": "白茶"})
    assert [(each.sku, each.name, each.stock) for each in tea.variants] == [
        ("W-1", {"en": "100 g"}, 5), ("W-2", {"en": "250 g"}, 5),
    ]  # fmt: skip
    assert [(price.points, price.cash) for price in tea.prices] == [(200, 0), (100, 1200), (0, 5900)]
    assert first_variant("oolong").stock == 7
    assert audit_trail()[-4:] == ["sheet.import", "product.create", "product.listed", "product.create"]
    moves = db.session.execute(sa.select(StockMovement.change, StockMovement.reason, StockMovement.by)).all()
    assert sorted(map(tuple, moves)) == [(5, "delivery", "Mei Zhao")] * 2 + [(7, "delivery", "Mei Zhao")]


def test_only_the_columns_that_are_there_are_changed(app, office):
    put_on_shelf(
        "Green tea", variants=[VariantDraft(sku="G-1", name={"en": "250 g"}, stock=10), VariantDraft(sku="G-2")]
    )
    tea = product("green-tea")
    kept = (tea.name, tea.status, tea.listed_at, [(each.sku, each.stock, each.active) for each in tea.variants])
    text = send_and_import(office, sheet({"SKU": "g-1", "List price": "61.5", "colour": "green"}))
    tea = product("green-tea")
    assert tea.list_price == 6150
    assert (tea.name, tea.status, tea.listed_at, [(each.sku, each.stock, each.active) for each in tea.variants]) == kept
    assert tea.variants[0].name == {"en": "250 g"}
    assert "not known and were passed over: colour." in text


def test_an_empty_cell_empties_what_may_be_empty(app, office):
    put_on_shelf({"en": "Green tea", "zh_Hans": "绿茶"}, limit=Limit(2, "month"), description={"en": "Fresh"})
    cells = {
        "product": "green-tea",
        "name_zh_Hans": "",
        "limit": "",
        "description_en": "",
        "status": "",
        "listed_at": "",
    }
    send_and_import(office, sheet(cells))
    tea = product("green-tea")
    assert (tea.name, tea.limit, tea.description, tea.status) == ({"en": "Green tea"}, None, {}, "listed")
    send_and_import(office, sheet({"product": "green-tea", "name_en": "", "list_price": ""}))
    assert told()[2] == ("refused", ["list_price: This may not be empty."])


def test_a_new_variant_joins_its_product_also_below_a_merged_cell(app, office):
    put_on_shelf("Green tea", variants=[VariantDraft(sku="G-1", stock=10)])
    send_and_import(office, sheet({"product": "green-tea", "sku": "G-1"}, {"product": "", "sku": "G-2", "stock": "3"},
                                  columns=["product", "sku", "stock"]))  # fmt: skip
    assert [(each.sku, each.stock, each.active) for each in product("green-tea").variants] == [
        ("G-1", 10, True), ("G-2", 3, True),
    ]  # fmt: skip


def test_a_product_is_taken_over_whole_or_not_at_all(app, office):
    put_on_shelf("Green tea", variants=[VariantDraft(sku="G-1", stock=1), VariantDraft(sku="G-2", stock=1)])
    send_and_import(
        office,
        sheet(
            {"sku": "G-1", "name_en": "A", "stock_change": "1"}, {"sku": "G-2", "name_en": "B", "stock_change": "-2"}
        ),
    )
    assert told() == {
        2: ("refused", ["Row 3 of the same product is refused."]),
        3: (
            "refused",
            [
                "name_en: row 2 says something else about the same product.",
                "stock_change: not so many are there, only 1.",
            ],
        ),
    }
    assert [each.stock for each in product("green-tea").variants] == [1, 1]


def test_listing_scheduling_and_archiving_by_sheet(app, office):
    for name in ("One", "Two", "Three", "Four"):
        put_on_shelf(name, listed=name in ("Two", "Four"))
    send_and_import(
        office,
        sheet(
            {"product": "one", "status": "listed", "listed_at": "2026-07-01 10:00"},
            {"product": "two", "status": "archived"},
            {"product": "three", "status": "Listed"},
            {"product": "four", "status": "draft"},
        ),
    )
    assert (product("one").status, product("one").listed_at.isoformat()) == ("listed", "2026-07-01T02:00:00+00:00")
    assert product("two").status == "archived"
    assert (product("three").status, product("three").listed_at) == ("listed", NOON)
    assert product("four").status == "listed"
    assert told()[5][0] == "refused"
    assert audit_trail()[-3:] == ["product.listed", "product.archived", "product.listed"]


# --- once, and only what was seen -----------------------------------------------------------


def test_stock_comes_in_once_however_often_the_sheet_is_sent(app, office):
    put_on_shelf("Green tea", variants=[VariantDraft(sku="G-1", stock=10)])
    content = sheet({"sku": "G-1", "stock_change": "+20"})
    first, second = send(office, content), send(office, content)
    for address in (first, first, second, second):
        office.post(f"{address}/import")
    assert first_variant("green-tea").stock == 30
    send_and_import(office, content)  # The next day, by mistake.
    assert first_variant("green-tea").stock == 30
    (verdict, remarks) = told()[2]
    assert verdict == "same"
    assert "was booked before and is left out" in remarks[0]
    # A correction elsewhere in the sheet does not bring the goods a second time either; a delivery note does.
    send_and_import(office, sheet({"sku": "G-1", "stock_change": "+20", "list_price": "1.00"}))
    assert (product("green-tea").list_price, first_variant("green-tea").stock) == (100, 30)
    noted = {"sku": "G-1", "stock_change": "+20", "delivery_note": "LS-2"}
    send_and_import(office, sheet(noted))
    send_and_import(
        office,
        sheet(
            {**noted, "name_en": "Tea"},
            {**NEW, "stock": "", "stock_change": "3"},
            columns=[*NEW, "stock_change", "delivery_note"],
        ),
    )
    assert first_variant("green-tea").stock == 50
    references = db.session.scalars(sa.select(StockMovement.reference).order_by(StockMovement.id))
    assert list(references)[:3] == ["", "", "LS-2"]


def test_a_product_that_somebody_edited_since_the_dry_run_is_left_alone(app, office):
    for name, sku in (("Green tea", "G-1"), ("Black tea", "B-1"), ("Red tea", "R-1")):
        put_on_shelf(name, variants=[VariantDraft(sku=sku, stock=10)])
    address = send(
        office, sheet(*({"sku": sku, "list_price": "1.00", "status": "listed"} for sku in ("G-1", "B-1", "R-1")))
    )
    with transaction():
        tea = product_in_transaction("green-tea")
        update_product(product=tea, draft=draft_of(tea), revision=1, by=CLERK, now=NOON)
        archive_product(product=product_in_transaction("red-tea"), by=CLERK, now=NOON)
        change_stock(
            variant_id=product_in_transaction("black-tea").variants[0].id,
            change=-1,
            reason="correction",
            by=CLERK,
            now=NOON,
        )
    office.post(f"{address}/import")
    assert {number: verdict for number, (verdict, _) in told().items()} == {2: "refused", 3: "update", 4: "refused"}
    assert "since the dry run" in told()[2][1][0]
    assert [product(slug).list_price for slug in ("green-tea", "black-tea", "red-tea")] == [5900, 100, 5900]
    assert product("red-tea").status == "archived"


def product_in_transaction(slug: str) -> Product:
    found = stockroom.product_of_units(None, slug)
    assert found is not None
    return found


def test_stock_that_was_sold_meanwhile_cannot_be_taken_below_nothing(app, office):
    put_on_shelf("Green tea", variants=[VariantDraft(sku="G-1", stock=5)])
    address = send(office, sheet({"sku": "G-1", "stock_change": "-4"}))
    with transaction():
        change_stock(
            variant_id=product_in_transaction("green-tea").variants[0].id, change=-3, reason="order", by=CLERK, now=NOON
        )
    office.post(f"{address}/import")
    assert told()[2] == ("refused", ["stock_change: not so many are there, only 2."])
    assert first_variant("green-tea").stock == 2


def test_the_same_new_products_in_two_sheets_at_once_are_made_once(app, office):
    first, second = send(office, sheet(NEW)), send(office, sheet(NEW))
    office.post(f"{first}/import")
    office.post(f"{second}/import")
    assert told()[2][0] == "refused"
    assert how_many(Product) == 1
    send_and_import(office, sheet(NEW))  # Whoever sends it a third time finds it there.
    assert told()[2][0] == "same"


@pytest.mark.parametrize(
    ("others", "heading", "sentence"),
    [
        ([], "Nothing was imported", "All rows were refused."),
        ([{"sku": "B-1", "list_price": "59.00"}], "Nothing was imported", "The others are as they were."),
        ([{"sku": "B-1", "list_price": "61.00"}], "Some rows were refused", "The others are imported."),
    ],
)
def test_the_end_of_an_import_speaks_of_other_rows_only_where_there_are_any(app, office, others, heading, sentence):
    for name, sku in (("Green tea", "G-1"), ("Black tea", "B-1")):
        put_on_shelf(name, variants=[VariantDraft(sku=sku)])
    address = send(office, sheet({"sku": "G-1", "list_price": "1.00"}, *others))
    with transaction():
        tea = product_in_transaction("green-tea")
        update_product(product=tea, draft=draft_of(tea), revision=1, by=CLERK, now=NOON)
    office.post(f"{address}/import")
    text = office.get(address).text
    assert [verdict for verdict, _ in told().values()].count("refused") == 1
    assert heading in text
    assert sentence in text
    assert ("The others" in text) is bool(others)


def test_what_a_colleague_may_not_see_is_unknown_to_the_sheet(app, office):
    put_on_shelf("Foreign tea", unit="harbour", variants=[VariantDraft(sku="F-1", stock=10)])
    send_and_import(office, sheet({"product": "foreign-tea", "sku": "F-1", "stock_change": "-5", "name_en": "Mine"},
                                  {**NEW, "sku": "F-1"}, columns=["product", *NEW, "stock_change"]))  # fmt: skip
    assert told()[2] == ("refused", ["None of your products is “foreign-tea”."])
    assert told()[3][0] == "refused"
    foreign = product("foreign-tea")
    assert (foreign.name, foreign.revision, foreign.variants[0].stock) == ({"en": "Foreign tea"}, 1, 10)


def test_a_sheet_is_its_senders_own(app, office, client):
    address = send(office, sheet(NEW))
    other = sign_in(app.test_client(), employ("owner", "Olive Tan"))
    for answer in (other.get(address), other.post(f"{address}/import"), other.get(f"{address}/refused.csv")):
        assert answer.status_code == 404
    assert not how_many(Product)
    auditor = sign_in(app.test_client(), employ("auditor", "Aya Sun"))
    assert auditor.get(f"{SHEETS}/products.csv").status_code == 200
    assert auditor.post(SHEETS, data={"sheet": (io.BytesIO(sheet(NEW)), "x.csv")}).status_code == 403


# --- long ones, and ends ------------------------------------------------------------------


def test_a_long_sheet_is_the_workers_and_shows_how_far_it_is(app, office, monkeypatch):
    monkeypatch.setattr(steps, "SELF_SERVED", 2)
    monkeypatch.setattr(steps, "CHECKED_AT_ONCE", 2)
    monkeypatch.setattr(steps, "IMPORTED_AT_ONCE", 2)
    address = send(office, sheet(*({**NEW, "name_en": f"Tea {n}", "sku": f"T-{n}"} for n in range(5))))
    assert "Waiting for the worker" in office.get(address).text
    jobs.go_on_with_sheets(now=NOON, seconds=0)
    assert "2 of 5 products" in office.get(address).text
    part = office.get(address, headers={"HX-Request": "true", "HX-Target": "state"}).text
    assert "2 of 5 products" in part
    assert "<html" not in part
    jobs.go_on_with_sheets(now=NOON)
    assert "Import 5 rows" in office.get(address).text
    office.post(f"{address}/import")
    assert not how_many(Product)
    jobs.go_on_with_sheets(now=NOON, seconds=0)
    assert how_many(Product) == 2
    office.post(f"{address}/cancellation")
    jobs.go_on_with_sheets(now=NOON)
    assert how_many(Product) == 2
    assert "This sheet was stopped" in office.get(address).text


def test_refused_rows_go_home_alone_with_their_problem(app, office):
    address = send(office, sheet(NEW, {**NEW, "name_en": "Bad", "sku": "BAD-1", "kind": "magic"}))
    office.post(f"{address}/import")
    rows = list(csv.DictReader(io.StringIO(office.get(f"{address}/refused.csv").data.decode().removeprefix("\ufeff"))))
    assert [(row["name_en"], row["kind"]) for row in rows] == [("Bad", "magic")]
    assert "Please write one of" in rows[0]["problem"]


def test_a_colleague_who_left_imports_nothing_more(app, office, merchant, monkeypatch):
    monkeypatch.setattr(steps, "SELF_SERVED", 0)
    send(office, sheet(NEW))
    with transaction() as session:
        session.merge(merchant).active = False
    jobs.go_on_with_sheets(now=NOON)
    assert db.session.scalar(sa.select(SheetImport.state)) == "failed"


def test_old_sheets_are_forgotten(app, office):
    send_and_import(office, sheet(NEW))
    assert jobs.forget_sheets(now=NOON + timedelta(days=29)) == 0
    assert jobs.forget_sheets(now=NOON + timedelta(days=31)) == 1
    assert not how_many(SheetImport)
    assert how_many(Product) == 1


def test_a_dry_run_asks_as_few_questions_as_it_has_parts(app, office):
    def asked(rows: int) -> int:
        content = sheet(*({**NEW, "name_en": f"Tea {n}", "sku": f"T-{n}"} for n in range(rows)))
        with counted() as statements:
            send(office, content)
        return len(statements)

    assert asked(3) == asked(120)


# --- files that are not what they seem ------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_encodings_and_delimiters_of_spreadsheets_are_found_out_and_named(words, encoding, delimiter):
    text = delimiter.join(["sku", "name_zh_Hans"]) + "\r\n" + delimiter.join(["T-1", "龙井茶"])
    table = read(io.BytesIO(text.encode(encoding)))
    assert table.rows[0].cells == {"sku": "T-1", "name_zh_Hans": "龙井茶"}
    assert table.format == f"CSV · {encoding.removesuffix('-sig').upper()}"


def test_a_title_above_blank_lines_and_spelled_out_names_do_no_harm(words):
    table = read(io.BytesIO(b'Our teas 2026,,\n\nSKU,Name EN,\n\nT-1,"Two\nlines",\n,,\n'))
    assert table.columns == ["sku", "name_en"]
    assert [(row.number, row.cells["name_en"], row.broken) for row in table.rows] == [(5, "Two\nlines", "")]


MIXED = "sku,name_zh_Hans\nA,龙井茶\n".encode() + "B,碧螺春\n".encode("gb18030")
UNUSABLE = [
    (b"", "The file is empty"),
    (b"  \n\n", "The file is empty"),
    (b"sku\n", "no row below it"),
    (b"colour,size\nred,1\n", "None of the first rows names the columns"),
    (b"sku,SKU,name_en\nA,B,C\n", "more than once"),
    (b'sku,name_en\nA,"never closed\nB,x\n', "begins in line 2 do not match"),
    (b"sku\0\nA\n", "not a text file"),
    (b"\xef\xbb\xbfsku\nA\xff\n", "Line 2 is not UTF-8 text"),
    (b"\xff\xfe\x00\xd8\n", "is not UTF-16 text"),
    (MIXED, "mixes encodings: line 2 is UTF-8, line 3 is not"),
    (b"\xd0\xcf\x11\xe0" + b"x" * 100, "old XLS kind, or locked"),
    (b"PK\x03\x04 but nothing else", "cannot be read as an XLSX workbook"),
    (b"sku\n" + b"A\n" * 5001, "more than 5000 rows"),
    (b"x" * ((8 << 20) + 1), "larger than 8 MB"),
]


@pytest.mark.parametrize(("content", "sentence"), UNUSABLE, ids=range(len(UNUSABLE)))
def test_a_file_that_is_no_sheet_is_refused_with_a_sentence(words, content, sentence):
    with pytest.raises(UnusableFile, match=sentence):
        read(io.BytesIO(content))


def test_the_page_says_why_a_file_was_not_taken_and_keeps_nothing(app, office):
    assert "mixes encodings" in refused(office, MIXED)
    assert "Please choose a file first." in office.post(SHEETS, data={}).text


def test_figures_of_a_workbook_are_taken_to_the_last_digit(app, office):
    put_on_shelf("Green tea", variants=[VariantDraft(sku="6901234567890", stock=1)])
    put_on_shelf("Black tea", variants=[VariantDraft(sku="G-2", stock=1)])
    header = ["sku", "list_price", "on_sale_from", "stock_change"]
    first = [6901234567890, 59.9, NOON.replace(tzinfo=None), 20.0]
    send_and_import(office, workbook(header, first, ["G-2", 0.1 + 0.2 + 59.6, None, None]), "tea.xlsx")
    assert {verdict for verdict, _ in told().values()} == {"update"}
    tea = product("green-tea")
    assert (tea.list_price, tea.on_sale_from.isoformat()) == (5990, "2026-06-14T20:00:00+00:00")
    assert (tea.variants[0].stock, product("black-tea").list_price) == (21, 5990)


def test_a_formula_or_an_error_in_a_cell_refuses_its_row_only(words):
    content = workbook(["sku", "list_price"], ["A", "=1+1"], ["B", "#REF!"], ["C", 5], ["=D", 1])
    table = read(io.BytesIO(content))
    assert [row.broken for row in table.rows] == [
        "B2: this cell holds a formula. Paste it as a value.",
        "B3: this cell holds the error #REF!.",
        "",
        "A5: this cell holds a formula. Paste it as a value.",
    ]


def repacked(content: bytes, change=lambda _name, data: data, **more: bytes) -> bytes:
    """A workbook with its parts changed, and with more of them; ``__`` in a name is a slash."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        for name, data in more.items():
            new.writestr(name.replace("__", "/"), data)
    return out.getvalue()


def laughing(name: str, data: bytes) -> bytes:
    """Entities that unfold to more and more, in the sheet itself."""
    if not name.endswith("sheet1.xml"):
        return data
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    return laughs + data.replace(b"<sheetData>", b'<sheetData><row><c t="inlineStr"><is><t>&b;</t></is></c></row>')


def halved(_name: str, data: bytes) -> bytes:
    return data[: len(data) // 2]


def test_workbooks_that_explode_run_or_reach_out_are_not_opened(words):
    good = workbook(["sku"], ["A"])
    assert [row.cells for row in read(io.BytesIO(good)).rows] == [{"sku": "A"}]
    cases = [
        (repacked(good, xl__media__image1=b"0" * (60 << 20)), "holds more than we can open"),
        (repacked(good, xl__many=b"<a>" + b"<c/>" * 3_000_000), "holds more than we can open"),
        (repacked(good, xl__vbaProject=b"macro"), "contains macros"),
        (repacked(good, xl__externalLinks__link1=b"<x/>"), "gets values from other files"),
        (repacked(good, xl__connections=b"<x/>"), "gets values from other files"),
        (repacked(good, laughing), "cannot be read as an XLSX workbook"),
        (repacked(good, halved), "cannot be read as an XLSX workbook"),
        (good[: len(good) // 2], "cannot be read as an XLSX workbook"),
        (repacked(good, **{f"part{number}": b"" for number in range(400)}), "cannot be read as an XLSX workbook"),
    ]
    for content, sentence in cases:
        with pytest.raises(UnusableFile, match=sentence):
            read(io.BytesIO(content))


def test_a_row_that_claims_to_be_the_billionth_is_not_waited_for(words):
    def far(_name: str, data: bytes) -> bytes:
        return data.replace(b'<row r="2"', b'<row r="999999999999"').replace(b'r="A2"', b"")

    with pytest.raises(UnusableFile, match="no row below it"):
        read(io.BytesIO(repacked(workbook(["sku"], ["A"]), far)))


def test_odd_signs_come_through_or_are_refused_and_never_break_the_page(app, office):
    names = ["茶🍵", "e\u0301te\u0301", "a\u202eb", "\ufeffTea", "x\x07y", "'", "''=1", "＝1", "-", "𝕋ea"]
    rows = [{**NEW, "name_en": name, "sku": f"ODD-{n}"} for n, name in enumerate(names)]
    text = send_and_import(office, sheet(*rows))
    assert {n: verdict for n, (verdict, _) in told().items() if verdict != "create"} == {6: "refused"}
    assert "茶🍵" in text
    back = {row["sku"]: row["name_en"] for row in exported(office)}
    assert (back["ODD-7"], back["ODD-8"]) == ("'＝1", "'-")
    send_and_import(office, office.get(f"{SHEETS}/products.csv").data)
    assert {verdict for verdict, _ in told().values()} == {"same"}


def test_a_sku_twice_in_a_sheet_counts_once(app, office):
    send_and_import(office, sheet(NEW, {**NEW, "name_en": "Other", "sku": "white-1"}))
    assert told() == {2: ("create", []), 3: ("refused", ["Row 2 has the same SKU."])}
    assert how_many(Variant) == 1


# --- many at once -------------------------------------------------------------------------


@ON_POSTGRESQL
def test_two_workers_and_two_sheets_at_once_bring_the_goods_in_once(app, office, monkeypatch):
    monkeypatch.setattr(steps, "SELF_SERVED", 0)
    for n in range(8):
        put_on_shelf(f"Tea {n}", variants=[VariantDraft(sku=f"T-{n}", stock=1)])
    rows = [{"sku": f"T-{n}", "stock_change": "+5", "name_en": f"Better tea {n}"} for n in range(8)]
    addresses = [send(office, sheet(*rows)), send(office, sheet(*rows))]
    assert jobs.go_on_with_sheets(now=NOON) == 2
    for address in addresses:
        office.post(f"{address}/import")
    numbers = list(db.session.scalars(sa.select(SheetImport.id)))
    at_once(app, [lambda number=number: steps.run(number, now=NOON) for number in numbers * 2])
    db.session.rollback()
    assert list(db.session.scalars(sa.select(Variant.stock))) == [6] * 8
    assert list(db.session.scalars(sa.select(SheetImport.state))) == ["done", "done"]
    assert audit_trail().count("product.update") == 8


@ON_POSTGRESQL
def test_an_import_and_an_order_of_a_limited_product_never_wait_for_each_other_in_a_circle(
    app, office, merchant, monkeypatch
):
    slug = put_on_shelf("Green tea", limit=Limit(5, "month"), variants=[VariantDraft(sku="TEA", stock=5)])
    variant_id, member_id = first_variant(slug).id, make_member()
    address = send(office, sheet({"product": slug, "name_en": "Black tea", "sku": "TEA", "stock_change": "+1"}))
    meeting = barrier(2)
    meet_before(monkeypatch, limits, "change_stocks", meeting)
    meet_before(monkeypatch, steps, "lock_products", meeting)

    def order():
        with transaction():
            take_pieces(pieces={variant_id: 2}, number="J1", by=Actor("member", member_id, "Alice Lin"), now=NOON)

    def bring_in():
        return sign_in(app.test_client(), merchant).post(f"{address}/import").status_code

    assert at_once(app, [order, bring_in]) == [None, 303]
    db.session.rollback()
    assert product(slug).name["en"] == "Black tea"
    assert first_variant(slug).stock == 4
