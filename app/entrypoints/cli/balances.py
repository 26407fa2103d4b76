"""``flask ledger import-balances FILE.csv``: what members bring from an old system."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext
from flask_babel import gettext as _

from app.entrypoints.cli.imports import BATCH, Import, OnRow, reading
from app.foundation import clock
from app.foundation.formats import points
from app.foundation.sheets import LineError, UnusableFile, open_sheet
from app.loyalty.openings.imports import Opening, Taken, limits, read
from app.loyalty.openings.rows import COLUMNS, OPTIONAL, Row


@click.command("import-balances")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show the effect and change nothing.")
@click.option("--create-members", is_flag=True, help="Make members of unknown emails and phones, to be claimed later.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.option("--batch", type=click.IntRange(1, 5_000), default=BATCH, show_default=True, help="Lines a transaction.")
@with_appcontext
def import_balances(file: Path, *, dry_run: bool, create_members: bool, as_json: bool, batch: int) -> None:
    """Import the opening balances of FILE, one per line: member, points, and optional
    ledger, unit, earned_on, expires_on, reference.

    The reference, or else the member, is the key: importing a file twice, or again after it was interrupted, gives
    nothing twice. Exits with 0 when every row was taken, with 1 when some were not, with 2
    when the file cannot be used at all.
    """
    now = clock.now()
    opening, taken = Opening(create_members=create_members, now=now), Taken()

    def balances(on_row: OnRow) -> Iterable[Row | LineError]:
        return read(sheet, limits(now=now), on_row=on_row)

    with reading(file, as_json=as_json):
        sheet = open_sheet(file, columns=COLUMNS, optional=OPTIONAL)
        if not (rows := sum(1 for _line in sheet.lines())):
            raise UnusableFile(_("The file has a header but no rows."))
        run = Import(sheet, rows, dry_run, batch)
        run.run(balances, opening.take_in, taken)
    run.finish(document=document(taken), figures=figures(taken), as_json=as_json)


def document(taken: Taken) -> dict[str, Any]:
    return {
        "balances": {"new": taken.new, "already_there": taken.known, "empty": taken.empty},
        "points": taken.points,
        "growth": taken.growth,
        "members_created": len(taken.created),
    }


def figures(taken: Taken) -> list[tuple[str, str]]:
    return [
        (_("New balances"), points(taken.new)),
        (_("Already there"), points(taken.known)),
        (_("Nothing to bring"), points(taken.empty)),
        (_("Points brought"), points(taken.points)),
        (_("Growth brought"), points(taken.growth)),
        (_("New members"), points(len(taken.created))),
    ]
