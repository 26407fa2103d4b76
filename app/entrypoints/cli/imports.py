"""What the commands that import a file have in common: batches, dry run, progress, errors by line, the summary."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import click
from flask_babel import gettext as _

from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formats import points
from app.foundation.sheets import LineError, Sheet, UnusableFile

BATCH = 500
ERRORS_KEPT = 1_000
ERRORS_SHOWN = 20
OK, SOME_ERRORS, UNUSABLE = 0, 1, 2
OnRow = Callable[[], object]


class Taken(Protocol):
    """What became of a batch, or of many added up."""

    errors: list[LineError]

    def add(self, other: Self) -> None: ...


Part = TypeVar("Part")
T = TypeVar("T", bound=Taken)


@dataclass(slots=True)
class Import:
    """One run over one file. ``errors`` keeps the first of them; ``error_count`` counts all."""

    sheet: Sheet
    rows: int
    dry_run: bool
    batch: int
    errors: list[LineError] = field(default_factory=list)
    error_count: int = 0
    error_lines: set[int] = field(default_factory=set)
    seconds: float = 0.0

    def run(
        self, read: Callable[[OnRow], Iterable[Part | LineError]], take: Callable[[list[Part]], T], into: T
    ) -> None:
        """Take everything that ``read`` hands out, batch by batch, and add up ``into`` what became of it."""
        batch: list[Part] = []
        started = time.monotonic()
        with progress(self.rows) as on_row:
            for part in read(on_row):
                if isinstance(part, LineError):
                    self._note([part])
                    continue
                batch.append(part)
                if len(batch) == self.batch:
                    self._take(batch, take, into)
                    batch = []
            if batch:
                self._take(batch, take, into)
        self.seconds = time.monotonic() - started

    def _take(self, batch: list[Part], take: Callable[[list[Part]], T], into: T) -> None:
        """A transaction of its own. A dry run does the very same and takes it back, so it cannot tell anything else."""
        try:
            with transaction():
                taken = take(batch)
                if self.dry_run:
                    raise _Undo
        except _Undo:
            pass
        self._note(taken.errors)
        taken.errors = []
        into.add(taken)

    def _note(self, errors: list[LineError]) -> None:
        self.error_count += len(errors)
        self.error_lines.update(error.line for error in errors)
        self.errors += errors[: ERRORS_KEPT - len(self.errors)]

    # --- telling ------------------------------------------------------------------------

    def finish(self, *, document: dict[str, Any], figures: Sequence[tuple[str, str]], as_json: bool) -> None:
        """Tell what became of it, with the ``figures`` or the ``document`` of the kind of file, and exit."""
        if as_json:
            click.echo(json.dumps({**self._document(), **document}, ensure_ascii=False))
        else:
            self._show(figures)
        sys.exit(SOME_ERRORS if self.error_count else OK)

    def _document(self) -> dict[str, Any]:
        return {
            "file": str(self.sheet.path),
            "dry_run": self.dry_run,
            "encoding": self.sheet.encoding.removesuffix("-sig"),
            "delimiter": self.sheet.delimiter,
            "rows": self.rows,
            "lines_with_errors": len(self.error_lines),
            "errors": [{"line": error.line, "reason": error.reason} for error in self._sorted()],
            "errors_left_out": self.error_count - len(self.errors),
            "seconds": round(self.seconds, 2),
        }

    def _show(self, figures: Sequence[tuple[str, str]]) -> None:
        if self.sheet.encoding != "utf-8-sig":
            click.secho(_("The file was read as GB18030."), fg="yellow", err=True)
        if self.sheet.delimiter != ",":
            name = _("semicolons") if self.sheet.delimiter == ";" else _("tabs")
            click.secho(_("The columns are separated by %(name)s.", name=name), fg="yellow", err=True)
        for error in self._sorted()[:ERRORS_SHOWN]:
            click.secho(_("Line %(line)s: %(reason)s", line=error.line, reason=error.reason), fg="red", err=True)
        if self.error_count > ERRORS_SHOWN:
            more = points(self.error_count - ERRORS_SHOWN)
            click.secho(_("… and %(more)s more. --json names the first thousand.", more=more), fg="red", err=True)
        if self.dry_run:
            click.secho(_("This is what would happen; nothing was changed."), fg="yellow")
        table = [
            (_("Rows read"), points(self.rows)),
            *figures,
            (_("Lines with errors"), points(len(self.error_lines))),
            (_("Seconds"), f"{self.seconds:.1f}"),
        ]
        for label, value in table:
            click.echo(f"{label:<20} {value:>16}")

    def _sorted(self) -> list[LineError]:
        return sorted(self.errors, key=lambda error: error.line)


class _Undo(Exception):
    pass


@contextmanager
def reading(file: Path, *, as_json: bool) -> Iterator[None]:
    """Exit with a sentence where the file cannot be used, or where the person or the books stop the import."""
    try:
        yield
    except UnusableFile as error:
        if as_json:
            click.echo(json.dumps({"file": str(file), "unusable": str(error)}, ensure_ascii=False))
        click.secho(str(error), fg="red", err=True)
        sys.exit(UNUSABLE)
    except DomainError as error:
        click.secho(str(error), fg="red", err=True)
        _say_that_it_can_go_on()
    except KeyboardInterrupt:
        _say_that_it_can_go_on()


def _say_that_it_can_go_on() -> None:
    click.secho(_("Stopped. What was imported stays; run it again to go on."), fg="yellow", err=True)
    sys.exit(SOME_ERRORS)


@contextmanager
def progress(rows: int) -> Iterator[OnRow]:
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
