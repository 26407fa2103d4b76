"""The doors: they compose the domains and decide nothing themselves."""

from __future__ import annotations

from flask import Flask

from app.entrypoints import backoffice, cli, health, portal, webhooks, worker
from app.foundation import permissions
from app.identity import session


def init_app(app: Flask) -> None:
    session.init_app(app)
    portal.init_app(app)
    backoffice.init_app(app)
    health.init_app(app)
    webhooks.init_app(app)
    cli.init_app(app)
    worker.init_app()
    permissions.check_declarations(app)
