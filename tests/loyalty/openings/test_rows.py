"""Reading a file of opening balances: what is believed, and the sentence for everything that is not."""

from __future__ import annotations

from datetime import date

import pytest

from app.foundation.points import Growth, Points
from app.foundation.sheets import LineError, UnusableFile, open_sheet
from app.loyalty.openings.imports import read
from app.loyalty.openings.rows import COLUMNS, OPTIONAL, Limits, Row

pytestmark = pytest.mark.usefixtures("words")

TODAY = date(2026, 6, 15)
LIMITS = Limits(TODAY, 10_000_000)
HEADER = ",".join([*COLUMNS, *OPTIONAL])
SOUND = {
    "member": "alice@example.com",
    "points": "1280",
    "ledger": "",
    "unit": "",
    "earned_on": "",
    "expires_on": "",
    "reference": "",
}


@pytest.fixture
def parts(tmp_path):
    def parse(*lines, header=HEADER, encoding="utf-8"):
        path = tmp_path / "balances.csv"
        path.write_bytes("\n".join([header, *lines]).encode(encoding))
        return list(read(open_sheet(path, columns=COLUMNS, optional=OPTIONAL), LIMITS))

    return parse


def row(**cells):
    return ",".join({**SOUND, **cells}.values())


def test_member_and_points_are_enough(parts):
    assert parts("alice@example.com,1280", header="member,points") == [
        Row(2, "alice@example.com", Points(1280), "", None, None, False, "")
    ]


def test_every_column_is_read_in_any_order(parts):
    header, cells = (
        "reference,points,expires_on,member,ledger,unit,earned_on",
        "K-1,40,,M7K29QXW,Growth,MALL,2024-05-03",
    )
    assert parts(cells, header=header) == [Row(2, "M7K29QXW", Growth(40), "mall", date(2024, 5, 3), None, False, "K-1")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_files_of_chinese_spreadsheets_are_read(parts, encoding):
    (found,) = parts(row(reference="旧卡1"), encoding=encoding)
    assert found.reference == "旧卡1"


@pytest.mark.parametrize("text", ["2026-12-31", "2026/12/31", "2026.12.31", "2026年12月31日", "2026-12-31 00:00:00"])
def test_days_are_read_year_first(parts, text):
    assert parts(row(expires_on=text))[0].last_day == date(2026, 12, 31)


def test_a_day_without_its_zeros_is_read(parts):
    assert parts(row(earned_on="2024/5/3"))[0].earned_on == date(2024, 5, 3)


def test_points_can_be_brought_for_ever(parts):
    (found,) = parts(row(expires_on="Never"))
    assert (found.last_day, found.lasting) == (None, True)


def test_today_is_a_last_day_like_any_other(parts):
    assert parts(row(expires_on="2026-06-15"))[0].last_day == TODAY


@pytest.mark.parametrize("text", ["1280", "1280.0", "001280", " 1280 "])
def test_whole_points_however_a_spreadsheet_writes_them(parts, text):
    assert parts(row(points=text))[0].amount == Points(1280)


def test_no_points_are_a_row_too(parts):
    assert parts(row(points="0"))[0].amount == Points(0)


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ({"member": ""}, "The member is missing"),
        ({"member": "x" * 255}, "longer than 254"),
        ({"reference": "a\u202eb"}, "cannot be printed"),
        ({"reference": "9" * 65}, "longer than 64"),
        ({"points": ""}, "The points is missing"),
        ({"points": "-120"}, "is a debt, and nobody starts with one"),
        ({"points": "(120)"}, "is a debt, and nobody starts with one"),
        ({"points": "12.5"}, "not a whole number"),
        ({"points": '"1,280"'}, "without separators"),
        ({"points": "١٢"}, "not a whole number"),
        ({"points": "1280 pts"}, "not a whole number"),
        ({"points": "1.28E+15"}, "a spreadsheet has shortened"),
        ({"points": "10000001"}, "more than the programme believes of one line: at most 10,000,000"),
        ({"points": "9" * 300}, "more than the programme believes"),
        ({"ledger": "miles"}, "neither points nor growth"),
        ({"earned_on": "2026-06-16"}, "lies in the future"),
        ({"earned_on": "1969-12-31"}, "before 1970"),
        ({"earned_on": "03/05/2024"}, "is not a date. Write 2026-01-31"),
        ({"earned_on": "45415"}, "a spreadsheet counts it inside"),
        ({"earned_on": "2024-02-30"}, "no day of the calendar"),
        ({"expires_on": "########"}, "the column was too narrow"),
        ({"expires_on": "2026-06-14"}, "would be expired on arrival: their last day was Jun 14, 2026"),
        ({"expires_on": "9999-12-31"}, "more than a hundred years ahead"),
        ({"ledger": "growth", "expires_on": "2027-01-31"}, "Growth does not expire"),
    ],
)
def test_a_bad_cell_is_reported_by_line_and_the_good_rows_are_taken(parts, cells, sentence):
    first, wrong, last = parts(row(), row(**cells), row())
    assert (first.line, last.line) == (2, 4)
    assert isinstance(wrong, LineError)
    assert wrong.line == 3
    assert sentence in wrong.reason


def test_everything_that_is_wrong_with_a_row_is_said_at_once(parts):
    assert [part.line for part in parts(row(member="", points="x", earned_on="soon"))] == [2, 2, 2]


def test_a_line_that_cannot_be_taken_apart_costs_itself_only(parts):
    found = parts(row(), row(reference='"K'), "alice@example.com,1", row())
    assert [type(part) for part in found] == [Row, LineError, LineError, Row]
    assert "quotation marks" in found[1].reason
    assert found[2].reason == "2 cells where the header has 7."


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("member,reference", "lacks the columns points"),
        ("member,points,points", "more than once"),
        ("", "empty"),
    ],
)
def test_an_unusable_file_is_refused_with_the_reason(parts, header, sentence):
    with pytest.raises(UnusableFile, match=sentence):
        parts(header=header)
