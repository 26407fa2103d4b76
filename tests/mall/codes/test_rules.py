from __future__ import annotations

from datetime import date

import pytest

from app.mall.codes import rules
from app.mall.codes.errors import UnusableSheet
from app.mall.codes.rules import MOST_BYTES, MOST_LINES, masked, read_sheet, text_of

FIRST = date(2026, 6, 16)


def read(text, last_day=None):
    return read_sheet(text, last_day=last_day, first_day=FIRST)


@pytest.fixture(autouse=True)
def _words(words):
    """Refusals are sentences."""


def test_one_code_a_line_with_a_day_of_its_own_or_that_of_the_sheet():
    text = "\ufeffcode,last_day\r\nABCD-1,2026-12-31\n\n  ABCD-2  \nABCD-3\t2026/7/1\rABCD-4;2027.01.02\n"
    assert [(each.line, each.code, each.last_day) for each in read(text, date(2026, 8, 1)).codes] == [
        (2, "ABCD-1", date(2026, 12, 31)),
        (4, "ABCD-2", date(2026, 8, 1)),
        (5, "ABCD-3", date(2026, 7, 1)),
        (6, "ABCD-4", date(2027, 1, 2)),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",2026-12-31", "missing"),
        ("A\x07B", "printed"),
        ("A\u202eB", "printed"),
        ("A\0B", "printed"),
        ("A" * 81, "longer"),
        ("=HYPERLINK(1)", "formula"),
        ("+1", "formula"),
        ("-1", "formula"),
        ("@A", "formula"),
        ("＝A", "formula"),
        ("GOOD", "line 1"),
        ("A,31.12.2026", "2026-12-31"),
        ("A,2026-02-30", "2026-12-31"),
        ("A,9999-12-31", "2026-12-31"),
        ("A,2026-06-15", "too soon"),
        ("A,2026-12-31,more", "more on this line"),
    ],
)
def test_what_is_refused_says_why_and_leaves_the_rest(line, reason):
    sheet = read(f"GOOD\n{line}\nALSO-GOOD")
    assert [each.code for each in sheet.codes] == ["GOOD", "ALSO-GOOD"]
    [refused] = sheet.refused
    assert refused.line == 2
    assert reason in refused.reason


def test_upper_and_lower_case_are_different_codes():
    assert len(read("abc\nABC").codes) == 2


def test_nothing_and_too_much_are_no_sheet():
    for text in ("", " \n\r\n\t,;\n", "code\n", "\n".join(map(str, range(MOST_LINES + 5)))):
        with pytest.raises(UnusableSheet):
            read(text)
    assert len(read("\n".join(f"C{each}" for each in range(MOST_LINES))).codes) == MOST_LINES


def test_files_are_text_of_sensible_size():
    assert text_of("券码\nA1".encode("gb18030")) == "券码\nA1"
    assert text_of("\ufeffA1".encode()) == "A1"
    for content in (b"PK\x03\x04", b"\xff\xff\xff", b"A" * (MOST_BYTES + 1)):
        with pytest.raises(UnusableSheet):
            text_of(content)


def test_what_staff_see_of_a_code_is_its_end():
    assert [masked(code) for code in ("ABCD-1234", "ABCD", "AB", "A")] == ["•••• 1234", "•••• CD", "•••• B", "••••"]
    assert rules.SHOWN == 4
