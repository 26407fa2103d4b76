"""A statement as PDF on A4.

Latin text is set in Helvetica and Chinese in STSong-Light, which every PDF reader brings itself, so that no font
of several megabytes travels with the programme or with each file.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

from flask_babel import format_date
from flask_babel import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from app.foundation import clock
from app.foundation.errors import InvalidInput
from app.foundation.formats import points as figure
from app.foundation.languages import current_locale
from app.loyalty.ledger.periods import lines_in
from app.loyalty.ledger.statements import Statement, lines_of

LONGEST_REASON = 500  # Signs.
LONGEST = 1_000  # Lines. Beyond, nobody reads, and one request would keep a worker busy for seconds.

LATIN, BOLD, CHINESE = "Helvetica", "Helvetica-Bold", "STSong-Light"
INK, MUTED, BRAND, PALE, RULE = (HexColor(c) for c in ("#16211c", "#5b6963", "#0b6b4f", "#eef5f1", "#d5ddd9"))
MARGIN, WIDTH = 18 * mm, 174 * mm

pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))


def style(size: int, **more: Any) -> ParagraphStyle:
    plain: dict[str, Any] = {"fontName": LATIN, "textColor": INK, "leading": size * 7 / 5, "fontSize": size}
    return ParagraphStyle("", **(plain | more))


TEXT, FIGURE = style(9), style(9, alignment=TA_RIGHT)
STRONG, STRONG_RIGHT = style(9, fontName=BOLD), style(9, fontName=BOLD, alignment=TA_RIGHT)
SMALL, SMALL_RIGHT = style(8, textColor=MUTED), style(8, textColor=MUTED, alignment=TA_RIGHT)
TITLE, LARGE = style(19, fontName=BOLD), style(14, fontName=BOLD)


class StatementTooLong(InvalidInput):
    def __init__(self, lines: int) -> None:
        super().__init__(
            _(
                "This statement has %(lines)s lines, and a PDF takes at most %(most)s. "
                "Please choose a shorter period, or download it for spreadsheets (CSV).",
                lines=figure(lines),
                most=figure(LONGEST),
            )
        )


def pdf_of(statement: Statement) -> bytes:
    """The same bytes for the same statement. Raises ``StatementTooLong``."""
    if statement.period.lines > LONGEST:
        raise StatementTooLong(statement.period.lines)
    out = io.BytesIO()
    title = _("Statement of points")
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=16 * mm,
        bottomMargin=20 * mm,
        title=f"{title} · {_span(statement)}",
        author=statement.programme,
        lang=current_locale().replace("_", "-"),
        invariant=1,
    )
    foot = f"{statement.programme} · {statement.member_code} · {_span(statement)}"
    document.build(
        [*_heading(statement, title), _summary(statement), Spacer(0, 7 * mm), _table(statement)],
        canvasmaker=lambda *args, **options: _Numbered(*args, foot=foot, **options),
    )
    return out.getvalue()


def _span(statement: Statement) -> str:
    return _("%(since)s to %(until)s", since=format_date(statement.since), until=format_date(statement.until))


def _heading(statement: Statement, title: str) -> Iterator[Flowable]:
    whom = statement.member_name
    rows = [
        [_text(statement.programme, style(11, fontName=BOLD, textColor=BRAND)), _text(whom, STRONG_RIGHT)],
        [_text(title, TITLE), _text(_("Member %(code)s", code=statement.member_code), FIGURE)],
        [_text(_span(statement), style(10, textColor=MUTED)), ""],
    ]
    yield Table(rows, [104 * mm, 70 * mm], style=[("VALIGN", (0, 0), (-1, -1), "BOTTOM"), *NO_PADDING])
    yield Spacer(0, 6 * mm)


NO_PADDING = [(f"{side}PADDING", (0, 0), (-1, -1), 0) for side in ("LEFT", "RIGHT")]


def _summary(statement: Statement) -> Table:
    period = statement.period
    figures = [
        (_("Opening balance"), _number(period.opening.value)),
        (_("In"), _number(period.gained.value, sign=True)),
        (_("Out"), _number(period.lost.value, sign=True)),
        (_("Closing balance"), _number(period.closing.value)),
    ]
    rows = [[_text(label, SMALL) for label, _figure in figures], [_text(value, LARGE) for _label, value in figures]]
    return Table(
        rows,
        [WIDTH / 4] * 4,
        style=[
            ("BACKGROUND", (0, 0), (-1, -1), PALE),
            ("LEFTPADDING", (0, 0), (-1, -1), 10),
            ("TOPPADDING", (0, 0), (-1, 0), 8),
            ("BOTTOMPADDING", (0, 0), (-1, 0), 0),
            ("TOPPADDING", (0, 1), (-1, 1), 1),
            ("BOTTOMPADDING", (0, 1), (-1, 1), 9),
            ("ROUNDEDCORNERS", [6, 6, 6, 6]),
        ],
    )


def _table(statement: Statement) -> Table:
    period = statement.period
    heads = [_text(_("Date"), SMALL), _text(_("What"), SMALL)]
    heads += [_text(_("Points"), SMALL_RIGHT), _text(_("Balance"), SMALL_RIGHT)]
    rows: list[list[Any]] = [heads, _balance(statement.since, _("Opening balance"), period.opening.value)]
    transfers = lines_in(period, limit=LONGEST)
    zone = clock.programme_zone()
    for transfer, line in zip(transfers, lines_of(transfers), strict=True):
        happened = _("happened on %(day)s", day=format_date(line.day)) if line.booked else ""
        below = _shorten(" · ".join(part for part in (line.unit, happened, line.why[0]) if part))
        rows.append(
            [
                _text(format_date(transfer.recorded_at.astimezone(zone)), TEXT),
                [_text(line.title, TEXT), _text(below, SMALL)],
                _number(transfer.amount, sign=True),
                _number(transfer.balance_after),
            ]
        )
    rows.append(_balance(statement.until, _("Closing balance"), period.closing.value))
    table = Table(rows, [28 * mm, 90 * mm, 26 * mm, 30 * mm], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("ALIGN", (2, 0), (-1, -1), "RIGHT"),
                ("FONT", (2, 0), (-1, -1), LATIN, 9, 12),
                *(("FONTNAME", (3, row), (3, row), BOLD) for row in (1, -1)),
                ("TEXTCOLOR", (2, 0), (-1, -1), INK),
                ("LINEBELOW", (0, 0), (-1, 0), 1, INK),
                ("LINEBELOW", (0, 1), (-1, -2), 1 / 2, RULE),
                ("LINEABOVE", (0, -1), (-1, -1), 1, INK),
                ("TOPPADDING", (0, 0), (-1, -1), 4),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
                ("LEFTPADDING", (0, 0), (-1, -1), 2),
                ("RIGHTPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    return table


def _shorten(text: str) -> str:
    """As much as fits into a row: one that is taller than the page cannot be set at all."""
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}…"


def _balance(day: Any, label: str, value: int) -> list[Any]:
    return [_text(format_date(day), TEXT), _text(label, STRONG), "", _number(value)]


def _number(value: int, *, sign: bool = False) -> str:
    """For a plain cell: numbers need no font but Helvetica, and a paragraph for each would take twice the time."""
    return _printable(figure(value, sign=sign))


def _text(text: str, look: ParagraphStyle) -> Paragraph:
    """A paragraph in which each sign is set in a font that has it."""
    runs = [("".join(signs), chinese) for chinese, signs in groupby(_printable(text), _is_chinese)]
    marked = "".join(
        f'<font name="{CHINESE}">{escape(run)}</font>' if chinese else escape(run) for run, chinese in runs
    )
    if any(chinese for _run, chinese in runs):
        look = ParagraphStyle("", parent=look, wordWrap="CJK")
    return Paragraph(marked, look)


def _printable(text: str) -> str:
    """``text`` with a box for what neither font has, and an en dash for the true minus, which Helvetica lacks."""
    return "".join(sign if _has(sign, "cp1252") or _has(sign, "gbk") else "□" for sign in text.replace("−", "–"))


def _is_chinese(sign: str) -> bool:
    return not _has(sign, "cp1252")


def _has(sign: str, charset: str) -> bool:
    try:
        sign.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


class _Numbered(Canvas):
    """Writes the foot of every page at the end, when it is known how many there are."""

    def __init__(self, *args: Any, foot: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self._foot = foot
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - reportlab's name
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, kept in enumerate(self._pages, start=1):
            self.__dict__.update(kept)
            self._draw_foot(_("Page %(number)s of %(total)s", number=number, total=len(self._pages)))
            super().showPage()
        super().save()

    def _draw_foot(self, page: str) -> None:
        for text, look in ((self._foot, SMALL), (page, SMALL_RIGHT)):
            paragraph = _text(text, look)
            paragraph.wrapOn(self, WIDTH, 10 * mm)
            paragraph.drawOn(self, MARGIN, 11 * mm)
