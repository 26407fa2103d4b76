"""Commands: ``flask <noun> <verb>``. Like views, they open the transactions and read the clock."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register every command group of this package."""
