"""``flask staff``: the way back in for a colleague, also for the only owner."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup

from app.foundation import clock
from app.foundation.actors import SYSTEM
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.identity.staff import actions, queries

group = AppGroup("staff", help="Colleagues.")


@group.command()
@click.argument("email")
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for when left out.")
def password(email: str, password: str) -> None:
    """Give the colleague EMAIL a new password. It ends their sessions and stands in the audit log."""
    colleague = queries.staff_by_email(email)
    if colleague is None:
        click.secho(f"No colleague has the email {email}.", fg="red", err=True)
        sys.exit(1)
    try:
        with transaction():
            actions.reset_staff_password(colleague, password=password, by=SYSTEM, now=clock.now())
    except DomainError as error:
        click.secho(str(error), fg="red", err=True)
        sys.exit(1)
    click.echo(f"{colleague.email} has a new password.")
