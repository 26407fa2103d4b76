"""Reading a purchase file: what is believed, and the sentence for everything that is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.foundation.sheets import LineError, UnusableFile
from app.loyalty.earning.files import COLUMNS, FilePurchase, read, survey
from app.loyalty.earning.rows import Limits

pytestmark = pytest.mark.usefixtures("words")

NOON = datetime(2026, 6, 15, 4, 0, tzinfo=UTC)
LIMITS = Limits("CNY", ZoneInfo("Asia/Shanghai"), NOON + timedelta(days=1), 10_000_000_00, 1_000_000)
HEADER = ",".join(COLUMNS)
SOUND = {
    "order_no": "A1",
    "occurred_at": "2026-06-01",
    "member": "alice@example.com",
    "unit": "mall",
    "category": "tea",
    "sku": "T-1",
    "quantity": "1",
    "amount": "238.50",
    "currency": "CNY",
}


def row(**cells):
    return ",".join({**SOUND, **cells}.values())


@pytest.fixture
def parts(tmp_path):
    def parse(*lines, header=HEADER, encoding="utf-8", raw=None):
        path = tmp_path / "purchases.csv"
        path.write_bytes(raw if raw is not None else "\n".join([header, *lines]).encode(encoding))
        return list(read(survey(path), LIMITS))

    return parse


def reasons(parts):
    return {part.line: part.reason for part in parts if isinstance(part, LineError)}


def purchases(parts):
    return [part for part in parts if isinstance(part, FilePurchase)]


# --- purchases --------------------------------------------------------------------------


def test_rows_of_one_order_number_are_one_purchase_also_when_others_lie_between(parts):
    found = purchases(parts(row(), row(order_no="B1"), row(sku="T-2", amount="1")))
    assert [[line.line for line in purchase.rows] for purchase in found] == [[3], [2, 4]]


def test_the_same_number_in_two_units_is_two_purchases(parts):
    assert len(purchases(parts(row(), row(unit="cinema")))) == 2


def test_a_date_is_the_beginning_of_that_day_in_the_programmes_timezone(parts):
    (purchase,) = purchases(parts(row(occurred_at="2026-06-01")))
    assert purchase.head.occurred_at == datetime(2026, 5, 31, 16, 0, tzinfo=UTC)


def test_a_time_without_zone_is_local_and_one_with_zone_is_exact(parts):
    local, exact = purchases(
        parts(row(occurred_at="2026-06-01T18:05:00"), row(order_no="B", occurred_at="2026-06-01T18:05:00+00:00"))
    )
    assert local.head.occurred_at == datetime(2026, 6, 1, 10, 5, tzinfo=UTC)
    assert exact.head.occurred_at == datetime(2026, 6, 1, 18, 5, tzinfo=UTC)


def test_amounts_are_exact_minor_units(parts):
    (purchase,) = purchases(parts(row(amount="0.1")))
    assert purchase.head.content.amount == 10


def test_quoted_cells_and_columns_in_any_order_are_read(parts):
    header = ",".join([*reversed(COLUMNS), "till"])
    cells = [*reversed([f'"{value}"' for value in SOUND.values()]), '"7, upstairs"']
    assert purchases(parts(",".join(cells), header=header))[0].head.order_no == "A1"


# --- what kind of file ------------------------------------------------------------------


def test_a_file_with_a_byte_order_mark_is_utf_8(parts):
    assert purchases(parts(row(), encoding="utf-8-sig"))


def test_a_file_that_is_no_utf_8_is_read_as_gb18030(parts):
    (purchase,) = purchases(parts(row(category="绿茶"), encoding="gb18030"))
    assert purchase.head.content.category == "绿茶"


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_semicolons_and_tabs_are_recognised(parts, delimiter):
    assert purchases(parts(row().replace(",", delimiter), header=HEADER.replace(",", delimiter)))


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\n"])
def test_every_kind_of_line_ending_is_read(parts, ending):
    assert len(purchases(parts(raw=ending.join([HEADER, row(), row(order_no="B1")]).encode()))) == 2


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "empty"),
        (HEADER.encode(), "no rows"),
        (b"order_no,member\nA1,alice", "lacks the columns occurred_at, unit"),
        ((HEADER + ",amount\n").encode(), "more than once"),
        (b"PK\x03\x04spreadsheet", "spreadsheet"),
        (HEADER.encode("utf-16"), "UTF-16"),
        (b"a\0b", "not a text file"),
        (HEADER.encode() + b"\n\xff\xff\xff", "neither UTF-8 nor GB18030"),
    ],
)
def test_an_unusable_file_is_refused_with_the_reason(parts, raw, sentence):
    with pytest.raises(UnusableFile, match=sentence):
        parts(raw=raw)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UnusableFile, match="cannot be opened"):
        survey(tmp_path / "nothing.csv")


# --- errors by line ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ({"order_no": ""}, "The order_no is missing"),
        ({"order_no": "9" * 65}, "longer than 64"),
        ({"member": ""}, "The member is missing"),
        ({"unit": ""}, "The unit is missing"),
        ({"category": "a\u202eb"}, "cannot be printed"),
        ({"occurred_at": "01/06/2026"}, "is not a date"),
        ({"occurred_at": "2026-02-30"}, "is not a date"),
        ({"occurred_at": "0100-01-01"}, "before 1970"),
        ({"occurred_at": "1969-12-31"}, "before 1970"),
        ({"occurred_at": "2026-06-18"}, "in the future"),
        ({"occurred_at": "9999-12-31T23:59:59-12:00"}, "is not a date"),
        ({"quantity": "0"}, "whole number of 1 or more"),
        ({"quantity": "1.5"}, "whole number of 1 or more"),
        ({"quantity": "-1"}, "whole number of 1 or more"),
        ({"quantity": "١"}, "whole number of 1 or more"),
        ({"quantity": "1000001"}, "more than the programme believes"),
        ({"amount": "-0.01"}, "is negative"),
        ({"amount": "0.001"}, "at most 2 digits"),
        ({"amount": "1e3"}, "at most 2 digits"),
        ({"amount": "NaN"}, "at most 2 digits"),
        ({"amount": ""}, "at most 2 digits"),
        ({"amount": "10000000.01"}, "more than the programme believes"),
        ({"amount": "9" * 200}, "at most 2 digits"),
        ({"currency": "USD"}, "is not the programme's, CNY"),
    ],
)
def test_a_bad_cell_is_reported_by_line_and_the_good_rows_are_taken(parts, cells, sentence):
    found = parts(row(order_no="B1"), row(**cells), row(order_no="C1"))
    assert list(reasons(found)) == [3]
    assert sentence in reasons(found)[3]
    assert [purchase.head.order_no for purchase in purchases(found)] == ["B1", "C1"]


def test_everything_that_is_wrong_with_a_row_is_said_at_once(parts):
    found = parts(row(quantity="0", amount="-1", currency="EUR"))
    assert [part.line for part in found] == [2, 2, 2]


def test_an_error_leaves_out_the_whole_purchase_and_says_so(parts):
    found = parts(row(), row(sku="T-2", amount="-1"))
    assert not purchases(found)
    assert reasons(found)[2] == "Left out, because line 3 of the same purchase has an error."


def test_rows_of_one_purchase_must_agree_on_member_and_time(parts):
    found = parts(row(), row(sku="T-2", member="bob@example.com"), row(sku="T-3", occurred_at="2026-06-02"))
    assert "Another member than on line 2" in reasons(found)[3]
    assert "Another time than on line 2" in reasons(found)[4]
    assert not purchases(found)


def test_a_line_that_is_there_twice_is_reported_with_both_lines(parts):
    found = parts(row(), row(sku="T-2"), row())
    assert "The same as line 2." in reasons(found)[4]
    assert not purchases(found)


def test_a_quotation_mark_that_is_never_closed_costs_its_purchase_only(parts):
    found = parts(row(), row(category='"tea'), row(order_no="B1"))
    assert "quotation marks" in reasons(found)[3]
    assert "line 3" in reasons(found)[2]  # A purchase without one of its lines would be wrong.
    assert [purchase.head.order_no for purchase in purchases(found)] == ["B1"]


def test_a_row_with_too_few_cells_holds_back_the_purchase_it_names(parts):
    found = parts(row(), "A1,2026-06-01,alice@example.com,mall", row(order_no="B1"))
    assert reasons(found)[3] == "4 cells where the header has 9."
    assert [purchase.head.order_no for purchase in purchases(found)] == ["B1"]


def test_an_absurdly_long_line_is_reported_and_the_next_one_keeps_its_number(parts):
    found = parts(row(order_no="A2", category="x" * 100_000), row(order_no="B1", amount="-1"))
    assert "longer than 4000" in reasons(found)[2]
    assert "negative" in reasons(found)[3]


def test_blank_lines_are_no_rows(parts):
    assert reasons(parts("", row(), "", ",,,,,,,,", row(order_no="B1", amount="-1"))) == {
        6: "The amount -1 is negative. Returns cannot be imported as purchases."
    }
