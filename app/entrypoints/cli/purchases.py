"""``flask purchases import FILE.csv``: purchases of another system become points."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.formats import money, points
from app.foundation.money import Money, programme_currency
from app.loyalty.earning.actions import LiveFrom
from app.loyalty.earning.files import FilePurchase, Survey, UnusableFile, read, survey
from app.loyalty.earning.imports import Taken, limits, take_in
from app.loyalty.earning.rows import LineError

group = AppGroup("purchases", help="Purchases reported by other systems.")

BATCH = 500
ERRORS_KEPT = 1_000
ERRORS_SHOWN = 20
OK, SOME_ERRORS, UNUSABLE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person at the command line asked for."""

    dry_run: bool
    create_members: bool
    points_live_from: LiveFrom
    batch: int


@dataclass(slots=True)
class Outcome:
    """The whole run. ``errors`` keeps the first of them; ``error_count`` counts all."""

    found: Survey
    taken: Taken = field(default_factory=Taken)
    errors: list[LineError] = field(default_factory=list)
    error_count: int = 0
    error_lines: set[int] = field(default_factory=set)
    seconds: float = 0.0

    def note(self, errors: list[LineError]) -> None:
        self.error_count += len(errors)
        self.error_lines.update(error.line for error in errors)
        self.errors += errors[: ERRORS_KEPT - len(self.errors)]


class _Undo(Exception):
    pass


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
    wish = Wish(dry_run, create_members, points_live_from, batch)
    try:
        outcome = run(survey(file), wish, now=clock.now())
    except UnusableFile as error:
        if as_json:
            click.echo(json.dumps({"file": str(file), "unusable": str(error)}, ensure_ascii=False))
        click.secho(str(error), fg="red", err=True)
        sys.exit(UNUSABLE)
    except KeyboardInterrupt:
        click.secho(_("Stopped. What was imported stays; run it again to go on."), fg="yellow", err=True)
        sys.exit(SOME_ERRORS)
    if as_json:
        click.echo(json.dumps(as_document(outcome, wish), ensure_ascii=False))
    else:
        show(outcome, wish)
    sys.exit(SOME_ERRORS if outcome.error_count else OK)


def run(found: Survey, wish: Wish, *, now: datetime) -> Outcome:
    """Take the file in, batch by batch; each batch is a transaction of its own."""
    outcome, batch = Outcome(found), []
    started = time.monotonic()
    with progress(found.rows) as on_row:
        for part in read(found, limits(now=now), on_row=on_row):
            if isinstance(part, LineError):
                outcome.note([part])
                continue
            batch.append(part)
            if len(batch) == wish.batch:
                _take(batch, wish, outcome, now=now)
                batch = []
        if batch:
            _take(batch, wish, outcome, now=now)
    outcome.seconds = time.monotonic() - started
    return outcome


def _take(batch: list[FilePurchase], wish: Wish, outcome: Outcome, *, now: datetime) -> None:
    """A dry run does the very same and takes it back, so it cannot tell anything else than the real one would do."""
    try:
        with transaction():
            taken = take_in(batch, create_members=wish.create_members, points_live_from=wish.points_live_from, now=now)
            if wish.dry_run:
                raise _Undo
    except _Undo:
        pass
    outcome.note(taken.errors)
    taken.errors = []
    outcome.taken.add(taken)


# --- telling ----------------------------------------------------------------------------


@contextmanager
def progress(rows: int) -> Iterator[Any]:
    """A bar on a terminal, a line per tenth elsewhere; on standard error either way."""
    if sys.stderr.isatty():
        with click.progressbar(length=rows, file=sys.stderr, show_pos=True, update_min_steps=200) as bar:
            yield lambda: bar.update(1)
        return
    done = 0

    def on_row() -> None:
        nonlocal done
        done += 1
        if rows >= ERRORS_KEPT and done * 10 // rows > (done - 1) * 10 // rows:
            click.echo(f"{done * 100 // rows} %", err=True)

    yield on_row


def as_document(outcome: Outcome, wish: Wish) -> dict[str, Any]:
    taken, found = outcome.taken, outcome.found
    return {
        "file": str(found.path),
        "dry_run": wish.dry_run,
        "encoding": found.encoding.removesuffix("-sig"),
        "delimiter": found.delimiter,
        "rows": found.rows,
        "purchases": {"new": taken.new, "already_there": taken.known},
        "points": taken.points,
        "growth": taken.growth,
        "amount": str(_sum(taken).decimal),
        "currency": _sum(taken).currency,
        "members_created": len(taken.created),
        "lines_with_errors": len(outcome.error_lines),
        "errors": [{"line": error.line, "reason": error.reason} for error in sorted_errors(outcome)],
        "errors_left_out": outcome.error_count - len(outcome.errors),
        "seconds": round(outcome.seconds, 2),
    }


def show(outcome: Outcome, wish: Wish) -> None:
    taken, found = outcome.taken, outcome.found
    if found.encoding != "utf-8-sig":
        click.secho(_("The file was read as GB18030."), fg="yellow", err=True)
    if found.delimiter != ",":
        name = _("semicolons") if found.delimiter == ";" else _("tabs")
        click.secho(_("The columns are separated by %(name)s.", name=name), fg="yellow", err=True)
    for error in sorted_errors(outcome)[:ERRORS_SHOWN]:
        click.secho(_("Line %(line)s: %(reason)s", line=error.line, reason=error.reason), fg="red", err=True)
    if outcome.error_count > ERRORS_SHOWN:
        more = points(outcome.error_count - ERRORS_SHOWN)
        click.secho(_("… and %(more)s more. --json names the first thousand.", more=more), fg="red", err=True)
    table = [
        (_("Rows read"), points(found.rows)),
        (_("New purchases"), points(taken.new)),
        (_("Already there"), points(taken.known)),
        (_("Lines with errors"), points(len(outcome.error_lines))),
        (_("Money spent"), money(_sum(taken))),
        (_("Points awarded"), points(taken.points)),
        (_("Growth awarded"), points(taken.growth)),
        (_("New members"), points(len(taken.created))),
        (_("Seconds"), f"{outcome.seconds:.1f}"),
    ]
    if wish.dry_run:
        click.secho(_("This is what would happen; nothing was changed."), fg="yellow")
    for label, value in table:
        click.echo(f"{label:<20} {value:>16}")


def sorted_errors(outcome: Outcome) -> list[LineError]:
    return sorted(outcome.errors, key=lambda error: error.line)


def _sum(taken: Taken) -> Money:
    return Money(taken.amount, programme_currency())
