"""``flask units``: open and list the business units."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup

from app.foundation import clock
from app.foundation.actors import SYSTEM
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.languages import translated
from app.identity.units import actions, queries

group = AppGroup("units", help="Business units.")


@group.command("open")
@click.argument("code")
@click.option("--name", required=True, help="Its name in English, or in the only language there is.")
@click.option("--zh-hans", default="", help="Its name in Simplified Chinese.")
@click.option("--zh-hant", default="", help="Its name in Traditional Chinese.")
def open_unit(code: str, name: str, zh_hans: str, zh_hant: str) -> None:
    """Open the business unit CODE (small letters, digits, hyphens)."""
    names = {"en": name, "zh_Hans": zh_hans, "zh_Hant": zh_hant}
    try:
        with transaction():
            unit = actions.open_unit(code=code, name=names, by=SYSTEM, now=clock.now())
    except DomainError as error:
        click.secho(str(error), fg="red", err=True)
        sys.exit(1)
    click.echo(f"{unit.code}  {translated(unit.name)}")


@group.command("list")
def list_units() -> None:
    """Show every business unit."""
    for unit in queries.all_units():
        click.echo(f"{unit.code:<32} {'' if unit.active else '×'} {translated(unit.name)}")
