"""``flask ledger``: prove the books, and seal them."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import IO, Any

import click
from flask.cli import AppGroup

from app.foundation import clock
from app.loyalty.ledger import checkpoints
from app.loyalty.ledger.verify import verify as check_books
from app.loyalty.ledger.verify_chain import verify_chain

group = AppGroup("ledger", help="The points ledger.")


@group.command()
@click.option("--chain", is_flag=True, help="Walk the hash chains and the checkpoints, too.")
@click.option("--against", type=click.File(), multiple=True, help="A saved checkpoint or receipt; implies --chain.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def verify(chain: bool, against: Sequence[IO[str]], as_json: bool) -> None:
    """Check every wallet, transfer, lot, hold and key; exit 1 and name the place if anything is off."""
    saved = {file.name: _document(file) for file in against}
    books = check_books()
    counts: dict[str, int] = dict(books.counts)
    findings: list[Any] = list(books.findings)
    checks = books.checks
    if chain or saved:
        chains = verify_chain(against=saved)
        counts |= chains.counts
        findings += chains.findings
        checks += chains.checks
    if as_json:
        told = [asdict(finding) for finding in findings]
        click.echo(json.dumps({"clean": not findings, "checked": counts, "findings": told}))
    else:
        for table, count in counts.items():
            click.echo(f"{table:>18} {count:>12,}")
        for finding in findings:
            click.secho(str(finding), fg="red")
        verdict = f"{len(findings)} findings" if findings else "clean"
        click.secho(f"{checks} checks: {verdict}", fg="red" if findings else "green", bold=True)
    sys.exit(1 if findings else 0)


def _document(file: IO[str]) -> Any:
    try:
        return json.load(file)
    except ValueError as error:
        raise click.BadParameter(f"{file.name} is not JSON: {error}", param_hint="--against") from error


@group.command()
def checkpoint() -> None:
    """Seal now what was booked since the last checkpoint; the worker does so every night."""
    for number in checkpoints.seal(now=clock.now()):
        found = checkpoints.published_one(number)
        click.echo(f"checkpoint {number}: {found.transfers} transfers, {found.hash.hex()}")
    click.echo(f"The books are sealed up to checkpoint {checkpoints.last_number()}.")
