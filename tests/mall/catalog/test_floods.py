"""Small files that would fill the memory or keep the processor busy are refused before they can."""

from __future__ import annotations

import io
import re
import time
import tracemalloc

import pytest

from app.foundation.sheets import UnusableFile
from app.mall.catalog.sheets.reading import MOST_BYTES, read
from app.mall.catalog.sheets.workbooks import MOST_OTHER_TAGS, MOST_TAGS
from tests.cast import sign_in
from tests.identity.test_session import guarded, token_of
from tests.mall.catalog.test_sheets import SHEETS, repacked
from tests.mall.catalog.test_sheets import workbook as book_of

__all__ = ["guarded"]
NAMESPACE = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SOON, LITTLE = 2.0, 64 << 20  # Seconds and bytes, where the files are made for minutes and gigabytes.


def holding(rows: bytes, *, part: str = "xl/worksheets/sheet1.xml") -> bytes:
    """A workbook with these rows in its sheet, or with this as another part."""
    if part.endswith("sheet1.xml"):
        rows = b'<worksheet xmlns="%s"><sheetData>%s</sheetData></worksheet>' % (NAMESPACE, rows)
    return repacked(book_of(["sku"], ["A"]), lambda name, data: rows if name == part else data)


def many_attributes(many: int) -> bytes:
    return b"<row " + b" ".join(b'a%x=""' % number for number in range(many)) + b"/>"


FLOODS = {
    "rows": lambda: holding(b"<row/>" * 2_400_000),
    "cells in one row": lambda: holding(b"<row>" + b"<c/>" * 2_400_000 + b"</row>"),
    "attributes of one row": lambda: holding(many_attributes(1_500_000)),
    "attributes of many rows": lambda: holding(many_attributes(99) * 19_000),
    "more attributes than any tag has": lambda: holding(many_attributes(101)),
    "cells of many rows": lambda: holding((b"<row>" + b"<c/>" * 900 + b"</row>") * 400),
    "cells with a prefix": lambda: holding(b'<x:row xmlns:x="x">' + b"<x:c/>" * 50_000 + b"</x:row>"),
    "what is no cell in a row": lambda: holding(b"<row>" + b"<v/>" * 50_000 + b"</row>"),
    "one thing in another": lambda: holding(b"<row>" * 50_000),
    "another encoding": lambda: holding(("<sst>" + "<si/>" * 400_000).encode("utf-16"), part="xl/workbook.xml"),
    "behind blanks": lambda: holding(b" " * 100_000 + b"<a>" + b"<b/>" * 50_000, part="xl/workbook.xml"),
    "styles": lambda: holding(
        b'<styleSheet xmlns="%s"><cellXfs>%s</cellXfs></styleSheet>' % (NAMESPACE, b"<xf/>" * (MOST_OTHER_TAGS + 1)),
        part="xl/styles.xml",
    ),
    "one endless text": lambda: holding(b"<row><c><v>" + b"1" * 1_000_000 + b"</v></c></row>"),
    "an endless tag": lambda: holding(b"<row " + b" " * 1_000_000 + b"/>"),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_workbook_that_unpacks_to_a_flood_is_refused_before_it_is_opened(words, kind):
    refused_soon(FLOODS[kind](), "holds more than we can open at once")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (lambda: b"sku," * 25_000 + b"\n1", "Row 1 has more than 200 cells"),
        (lambda: b"sku," * 100_000 + b"\n1", "Row 1 has more than 200 cells"),
        (lambda: b"," * MOST_BYTES, "Row 1 has more than 200 cells"),
        (lambda: b"sku,stock\n" + b"A" + b"," * 1_000_000, "Row 2 has more than 200 cells"),
        (lambda: b"sku\n" + b"\n" * 4_000_000, "more than 50000 rows"),
        (lambda: b"sku\n" + b"A\n" * 3_000_000, "more than 5000 rows"),
    ],
    ids=["25,000 columns", "100,000 columns", "commas only", "one wide row", "blank rows", "short rows"],
)
def test_a_csv_file_that_is_all_columns_or_all_rows_is_refused_at_once(words, content, sentence):
    refused_soon(content(), sentence)


def refused_soon(content: bytes, sentence: str) -> None:
    begun = time.process_time()
    with pytest.raises(UnusableFile, match=sentence):
        read(io.BytesIO(content))
    assert time.process_time() - begun < SOON


def test_a_sheet_that_is_named_a_thousand_times_is_read_once(words):
    def many(name: str, data: bytes) -> bytes:
        if name == "xl/worksheets/sheet1.xml":
            return re.sub(rb"<dimension[^>]*>", b"", data).replace(b"</sheetData>", b"<row/>" * 5_000 + b"</sheetData>")
        found = re.search(rb"<sheet [^>]*>", data) if name == "xl/workbook.xml" else None
        return data.replace(found[0], found[0] * 1_000) if found else data

    begun = time.process_time()
    table = read(io.BytesIO(repacked(book_of(["sku"], ["A"]), many)))
    assert [row.cells for row in table.rows] == [{"sku": "A"}]
    assert time.process_time() - begun < SOON


def test_a_flood_is_not_even_held_in_memory(words):
    content = FLOODS["cells in one row"]()
    tracemalloc.start()
    try:
        refused_soon(content, "holds more")
        assert tracemalloc.get_traced_memory()[1] < LITTLE
    finally:
        tracemalloc.stop()


def test_the_bounds_leave_room_for_the_largest_sheet_of_sixty_columns():
    assert {MOST_TAGS[tag] for tag in MOST_TAGS if tag != ("sheetData", "row")} == {310_000}
    assert MOST_TAGS["row", "c"] > 5_001 * 60
    assert MOST_TAGS["sheetData", "row"] > 5_001


def test_whoever_sends_sheet_after_sheet_has_to_wait_and_others_do_not(guarded, teas, merchant, owner):
    desk, other = sign_in(guarded.test_client(), merchant), sign_in(guarded.test_client(), owner)

    def upload(who, token, **more):
        return who.post(SHEETS, data={"csrf_token": token, **more}).status_code

    def nonsense():
        return {"sheet": (io.BytesIO(b"nothing"), "tea.csv")}

    token = token_of(desk, SHEETS)
    assert [upload(desk, token, **nonsense()) for _ in range(21)] == [422] * 20 + [429]
    assert upload(desk, token) == 422  # Without a file it costs nothing.
    assert upload(other, token_of(other, SHEETS), **nonsense()) == 422
