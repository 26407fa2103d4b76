"""``flask ledger``: prove the books."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click
from flask.cli import AppGroup

from app.loyalty.ledger.verify import verify as check_books

group = AppGroup("ledger", help="The points ledger.")


@group.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def verify(as_json: bool) -> None:
    """Check every wallet, transfer, lot, hold and key; exit 1 and name the place if anything is off."""
    report = check_books()
    if as_json:
        findings = [asdict(finding) for finding in report.findings]
        click.echo(json.dumps({"clean": report.clean, "checked": report.counts, "findings": findings}))
    else:
        for table, count in report.counts.items():
            click.echo(f"{table:>18} {count:>12,}")
        for finding in report.findings:
            click.secho(str(finding), fg="red")
        verdict = "clean" if report.clean else f"{len(report.findings)} findings"
        click.secho(f"{report.checks} checks: {verdict}", fg="green" if report.clean else "red", bold=True)
    sys.exit(0 if report.clean else 1)
