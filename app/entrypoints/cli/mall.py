"""``flask mall``: is the stock what the pools and the calendars say?"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence

import click
from flask.cli import AppGroup

from app.mall.codes.queries import mismatches as codes_amiss
from app.mall.slots.queries import mismatches as slots_amiss

group = AppGroup("mall", help="The mall.")

# What is counted elsewhere → everything that is wrong with it, a sentence each.
CHECKS: dict[str, Callable[[], Sequence[object]]] = {
    "code pools": codes_amiss,
    "booked times": slots_amiss,
}


@group.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def verify(as_json: bool) -> None:
    """Compare the stock of vouchers with their pools and that of services with their times; exit 1 if one is off."""
    findings = {name: [str(finding) for finding in check()] for name, check in CHECKS.items()}
    clean = not any(findings.values())
    if as_json:
        click.echo(json.dumps({"clean": clean, "findings": findings}))
    else:
        for name, found in findings.items():
            click.secho(f"{name}: {len(found)} findings" if found else f"{name}: clean", fg="red" if found else "green")
            for finding in found:
                click.echo(f"  {finding}")
    sys.exit(0 if clean else 1)
