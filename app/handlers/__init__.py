"""Cross-domain stories, one file each, told in order. A lower floor publishes; here is what follows from it."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from flask import Flask


def init_app(_app: Flask) -> None:
    """Importing a handler registers it."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
