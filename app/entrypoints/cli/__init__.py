"""Commands: ``flask <noun> <verb>``. Like views, they open the transactions and read the clock."""

from __future__ import annotations

from flask import Flask

from app.entrypoints.cli import worker


def init_app(app: Flask) -> None:
    """Register every command group of this package."""
    worker.init_app(app)
