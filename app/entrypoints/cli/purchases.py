"""``flask purchases import FILE.csv``: purchases of another system become points."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from flask_babel import gettext as _

from app.entrypoints.cli.imports import BATCH, Import, OnRow, reading
from app.foundation import clock
from app.foundation.formats import money, points
from app.foundation.money import Money, programme_currency
from app.foundation.sheets import LineError
from app.loyalty.earning.actions import LiveFrom
from app.loyalty.earning.files import FilePurchase, read, survey
from app.loyalty.earning.imports import Taken, limits, take_in

group = AppGroup("purchases", help="Purchases reported by other systems.")


@group.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show the effect and change nothing.")
@click.option("--create-members", is_flag=True, help="Make members of unknown emails and phones, to be claimed later.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.option(
    "--points-live-from",
    type=click.Choice(["import", "purchase"]),
    default="import",
    show_default=True,
    help="From when the points' expiry counts: from today, or from the day of the purchase.",
)
@click.option(
    "--batch", type=click.IntRange(1, 5_000), default=BATCH, show_default=True, help="Purchases a transaction."
)
def import_file(
    file: Path, *, dry_run: bool, create_members: bool, as_json: bool, points_live_from: LiveFrom, batch: int
) -> None:
    """Import the purchases of FILE, one row per line of a purchase.

    The order number is the key within its business unit: importing a file twice, or again
    after it was interrupted, awards nothing twice. Exits with 0 when every row was taken, with 1
    when some were not, with 2 when the file cannot be used at all.
    """
    now = clock.now()

    def purchases(on_row: OnRow) -> Iterable[FilePurchase | LineError]:
        return read(found, limits(now=now), on_row=on_row)

    def take(purchases: list[FilePurchase]) -> Taken:
        return take_in(purchases, create_members=create_members, points_live_from=points_live_from, now=now)

    with reading(file, as_json=as_json):
        found, taken = survey(file), Taken()
        run = Import(found.sheet, found.rows, dry_run, batch)
        run.run(purchases, take, taken)
    run.finish(document=document(taken), figures=figures(taken), as_json=as_json)


def document(taken: Taken) -> dict[str, Any]:
    return {
        "purchases": {"new": taken.new, "already_there": taken.known},
        "points": taken.points,
        "growth": taken.growth,
        "amount": str(_sum(taken).decimal),
        "currency": _sum(taken).currency,
        "members_created": len(taken.created),
    }


def figures(taken: Taken) -> list[tuple[str, str]]:
    return [
        (_("New purchases"), points(taken.new)),
        (_("Already there"), points(taken.known)),
        (_("Money spent"), money(_sum(taken))),
        (_("Points awarded"), points(taken.points)),
        (_("Growth awarded"), points(taken.growth)),
        (_("New members"), points(len(taken.created))),
    ]


def _sum(taken: Taken) -> Money:
    return Money(taken.amount, programme_currency())
