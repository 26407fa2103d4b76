"""``flask demo load``: a small group of shops with a year of history, for looking around."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from flask import current_app
from flask.cli import AppGroup
from flask_babel import gettext as _

from app.entrypoints.demo import content, story
from app.foundation import clock

group = AppGroup("demo", help="Demo data.")

REFUSED = 2
STEPS = 100


@group.command()
@click.option(
    "--locale",
    type=click.Choice(["en", "zh_Hans"]),
    help="The language of people's names; texts of the shop come in every language. Default: that of the installation.",
)
@click.option("--members", type=click.IntRange(story.FEWEST, 2_000), default=40, show_default=True)
def load(locale: str | None, members: int) -> None:
    """Load the demo: shops, products, and members with a year of history. Only into an empty database."""
    started = time.monotonic()
    try:
        with progress() as on_progress:
            told = story.load(
                locale=locale or default_locale(),
                members=members,
                now=clock.now(),
                on_chapter=announce,
                on_progress=on_progress,
            )
    except story.Refused as refusal:
        click.secho(str(refusal), fg="red", err=True)
        sys.exit(REFUSED)
    except KeyboardInterrupt:
        click.secho(_("Stopped halfway. Empty the database before you load the demo again."), fg="yellow", err=True)
        sys.exit(1)
    show(told, seconds=time.monotonic() - started, locale=locale or default_locale())


def default_locale() -> str:
    return "zh_Hans" if current_app.config["SETTINGS"].default_locale.startswith("zh") else "en"


def announce(chapter: str) -> None:
    sentence = {"pictures": _("Drawing the products’ pictures …"), "history": _("Living through a year …")}[chapter]
    click.echo(sentence, err=True)


@contextmanager
def progress() -> Iterator[Callable[[float], None]]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _share: None
        return
    with click.progressbar(length=STEPS, file=sys.stderr) as bar:
        yield lambda share: bar.update(int(share * STEPS) - bar.pos)


def show(told: story.Told, *, seconds: float, locale: str) -> None:
    click.secho(
        _(
            "Loaded in %(seconds)s seconds: %(units)s business units, %(products)s products, %(members)s members.",
            seconds=f"{seconds:.0f}",
            units=told.units,
            products=told.products,
            members=told.members,
        ),
        fg="green",
    )
    people = [(_("member"), content.member(name, locale)) for name in ("alice", "bob")]
    accounts = [(label, person.email, person.name) for label, person in people]
    accounts += [(sheet["role"], sheet["email"], sheet["name"]) for sheet in content.staff(locale)]
    for label, email, name in accounts:
        click.echo(f"  {label:<10} {email:<24} {name}")
    click.echo(_("The password of all six is %(password)s.", password=story.PASSWORD))
