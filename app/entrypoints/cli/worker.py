"""``flask worker`` and ``flask jobs``: the work that no request waits for."""

from __future__ import annotations

import logging

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from app.foundation import clock
from app.foundation import jobs as registry


@click.command("worker")
@click.option("--threads", default=2, show_default=True, help="How many jobs run at a time.")
@click.option("--no-periodic", is_flag=True, help="Leave the schedule to another worker; exactly one may keep it.")
@with_appcontext
def worker(threads: int, no_periodic: bool) -> None:
    """Deliver mail and do the regular jobs, until SIGTERM."""
    logging.getLogger("huey").setLevel(logging.WARNING)  # It would tell each minute what it is about to do.
    queue = current_app.extensions["huey"]
    consumer = queue.create_consumer(
        workers=threads, periodic=not no_periodic, max_delay=1.0, shutdown_timeout=20, graceful_signal="TERM"
    )
    consumer.run()


@click.group("jobs")
def jobs() -> None:
    """The regular jobs."""


@jobs.command("list")
@with_appcontext
def list_jobs() -> None:
    """Name the regular jobs."""
    for name in current_app.extensions["jobs"]:
        click.echo(name)


@jobs.command("run")
@with_appcontext
def run_jobs() -> None:
    """Run each regular job once, now, in this process."""
    for name, result in registry.run_all(now=clock.now()).items():
        click.echo(f"{name}: {result}")


def init_app(app: Flask) -> None:
    app.cli.add_command(worker)
    app.cli.add_command(jobs)
