"""Statements: a month or any other period, to read, to print and to calculate with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, request, stream_with_context, url_for

from app.extensions import limiter
from app.foundation import clock
from app.foundation.pages import page
from app.foundation.permissions import Permission, requires
from app.identity.session import current_member
from app.loyalty.ledger import paper
from app.loyalty.ledger.explanations import label_of
from app.loyalty.ledger.forms import StatementForm
from app.loyalty.ledger.periods import Movement, first_booked, lines_in
from app.loyalty.ledger.sheets import csv_of
from app.loyalty.ledger.statements import Statement, lines_of, statement_of
from app.loyalty.ledger.views.outlook import month_name

statements = Blueprint("statements", __name__, url_prefix="/points")

PAGE = 50
MONTHS = 120
PDFS = "20 per minute"  # An address; a long one takes a second to set.


@statements.get("/statements")
@requires(Permission.POINTS_OWN)
def show() -> Response:
    return _page(StatementForm(request.args))


@statements.get("/statements.csv")
@requires(Permission.POINTS_OWN)
def download_csv() -> Response:
    form = StatementForm(request.args)
    if not form.validate():
        return _page(form)
    statement = _statement(form)
    body = stream_with_context(csv_of(statement))
    return Response(body, mimetype="text/csv", headers=_as_file(statement, "csv"))


@statements.get("/statements.pdf")
@limiter.limit(PDFS)
@requires(Permission.POINTS_OWN)
def download_pdf() -> Response:
    form = StatementForm(request.args)
    if not form.validate():
        return _page(form)
    statement = _statement(form)
    return Response(paper.pdf_of(statement), mimetype="application/pdf", headers=_as_file(statement, "pdf"))


def _statement(form: StatementForm) -> Statement:
    since, until = form.span(_today())
    return statement_of(current_member(), since=since, until=until)


def _today() -> date:
    return clock.local_date(clock.now(), clock.programme_zone())


def _as_file(statement: Statement, kind: str) -> dict[str, str]:
    name = f"{statement.file_name}.{kind}"
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}


@dataclass(frozen=True, slots=True)
class Row:
    """What the lines of one kind came to."""

    label: str
    movement: Movement


def _page(form: StatementForm) -> Response:
    """The statement that the form asks for; 422 and only the form where that makes no sense."""
    member_id = current_member().id
    months = _months(first_booked(member_id))
    if not form.validate():
        return page("loyalty/ledger/statement.html", status=422, form=form, months=months, statement=None)
    statement = _statement(form)
    period, asked = statement.period, request.args.get("after", "")
    after = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
    found = lines_in(period, after=after, limit=PAGE + 1)
    span: dict[str, Any] = {"since": statement.since.isoformat(), "until": statement.until.isoformat()}
    return page(
        "loyalty/ledger/statement.html",
        fragments={"more"},
        form=form,
        months=months,
        statement=statement,
        period=period,
        chosen=_chosen(statement),
        rows=sorted((Row(label_of(each.kind), each) for each in period.movements), key=lambda row: row.label),
        lines=lines_of(found[:PAGE]),
        more_url=url_for(".show", **span, after=found[PAGE - 1].sequence) if len(found) > PAGE else None,
        csv_url=url_for(".download_csv", **span),
        pdf_url=url_for(".download_pdf", **span) if period.lines <= paper.LONGEST else None,
        longest=paper.LONGEST,
    )


def _months(first: datetime | None) -> list[tuple[str, str]]:
    """(value, name) of the months from the first line on, the newest first."""
    today = _today()
    begin = clock.local_date(first, clock.programme_zone()) if first else today
    begin = max(begin.replace(day=1), clock.first_of_month(today, 1 - MONTHS))
    count = (today.year - begin.year) * 12 + today.month - begin.month
    found = [clock.first_of_month(today, -back) for back in range(max(count, 0) + 1)]
    return [(f"{month:%Y-%m}", month_name(month)) for month in found]


def _chosen(statement: Statement) -> str | None:
    """The value of the month that is shown, if it is a whole one."""
    since, until = statement.since, statement.until
    whole = since.day == 1 and clock.first_of_month(since, 1) == until + timedelta(days=1)
    return f"{since:%Y-%m}" if whole else None
