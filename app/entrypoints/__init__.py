"""The doors: they compose the domains and decide nothing themselves."""

from __future__ import annotations

from flask import Flask

from app.entrypoints import backoffice, cli, health, portal, worker


def init_app(app: Flask) -> None:
    portal.init_app(app)
    backoffice.init_app(app)
    health.init_app(app)
    cli.init_app(app)
    worker.init_app()
