"""Bring a database to where the server can start: tables, defaults and, where nobody is a member yet, the demo."""

from __future__ import annotations

import sys

import sqlalchemy as sa
from flask import Flask
from flask.cli import ScriptInfo
from flask_migrate import upgrade

from app import create_app
from app.config import ConfigurationError
from app.foundation.database import db


def command(app: Flask, *words: str) -> None:
    """Run ``flask <words>`` in this process."""
    app.cli.main(args=list(words), obj=ScriptInfo(create_app=lambda: app), standalone_mode=False)


def nobody_yet(app: Flask) -> bool:
    with app.app_context():
        return not db.session.scalar(sa.text("SELECT EXISTS (SELECT 1 FROM member)"))


def prepare(app: Flask) -> None:
    with app.app_context():
        upgrade()
    command(app, "setup")
    if nobody_yet(app) and not app.config["SETTINGS"].production:
        command(app, "demo", "load")


if __name__ == "__main__":
    try:
        prepare(create_app())
    except ConfigurationError as error:
        sys.exit(str(error))
