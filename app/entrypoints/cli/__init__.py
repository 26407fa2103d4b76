"""Commands: ``flask <noun> <verb>``. Like views, they open the transactions and read the clock."""

from __future__ import annotations

from flask import Flask

from app.entrypoints.cli import balances, demo, ledger, mall, members, purchases, setup, staff, units, worker


def init_app(app: Flask) -> None:
    """Register every command group of this package."""
    worker.init_app(app)
    ledger.group.add_command(balances.import_balances)
    app.cli.add_command(ledger.group)
    app.cli.add_command(mall.group)
    app.cli.add_command(members.group)
    app.cli.add_command(purchases.group)
    app.cli.add_command(staff.group)
    app.cli.add_command(units.group)
    app.cli.add_command(demo.group)
    app.cli.add_command(setup.setup)
