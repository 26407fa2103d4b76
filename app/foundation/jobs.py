"""Work for the background worker: what is to be done regularly, and a nudge to deliver mail now.

Huey keeps the queue: an SQLite file beside the database by default, Redis when there is
one. Jobs are plain functions of ``now``; they open their own transactions and can be run
again at any time without harm, so nothing is lost when the worker was away.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from huey import Huey, RedisHuey, SqliteHuey, crontab

from app.foundation import clock

log = logging.getLogger(__name__)
Job = Callable[..., Any]
PATIENCE = timedelta(hours=1)
_periodic: list[tuple[str, Job, dict[str, str]]] = []


def periodic(name: str, **schedule: str) -> Callable[[Job], Job]:
    """Declare a job with a cron-like schedule: ``@periodic("close-unpaid", minute="*")``. It takes ``now=``."""

    def register(job: Job) -> Job:
        _periodic.append((name, job, schedule))
        return job

    return register


def init_app(app: Flask) -> None:
    """Make the queue and its tasks, once per application."""
    settings = app.config["SETTINGS"]
    if settings.redis_url:
        huey: Huey = RedisHuey("jifen", url=settings.redis_url)
    else:
        huey = SqliteHuey("jifen", filename=str(settings.instance_path / "queue.db"))
    app.extensions["huey"] = huey
    app.extensions["jobs"] = {name: _task(app, huey, name, job, schedule) for name, job, schedule in _periodic}


def _task(app: Flask, huey: Huey, name: str, job: Job, schedule: dict[str, str]) -> Any:
    def run() -> None:
        with app.app_context():
            try:
                result = job(now=clock.now())
            finally:
                huey.delete(_wish(name))
            log.log(logging.INFO if result else logging.DEBUG, "job %s: %s", name, result)

    return huey.periodic_task(crontab(**schedule), name=name)(run)


def nudge() -> None:
    """Ask the worker to look at the outbox now instead of at the next full minute."""
    task = current_app.extensions["jobs"].get("deliver-outbox")
    if task is not None:
        task()


def ask(name: str, *, now: datetime) -> bool:
    """Ask the worker to run a job once, as soon as it can. ``False`` where it has been asked and is not done yet."""
    huey, wish = current_app.extensions["huey"], _wish(name)
    if asked(name, now=now) is None:
        huey.delete(wish)  # What a worker never came back from.
    if not huey.put_if_empty(wish, now.isoformat()):
        return False
    current_app.extensions["jobs"][name]()
    return True


def asked(name: str, *, now: datetime) -> datetime | None:
    """Since when the worker has been asked for a job that it has not finished; after an hour nobody waits any more."""
    since = current_app.extensions["huey"].get(_wish(name), peek=True)
    with suppress(TypeError, ValueError):
        at = datetime.fromisoformat(since)
        return at if now - PATIENCE < at else None
    return None


def _wish(name: str) -> str:
    return f"asked:{name}"


def run_all(*, now: datetime, without: Collection[str] = ()) -> dict[str, Any]:
    """Run every periodic job once, in the order of declaration; for tests, the demo and `flask jobs run`."""
    return {name: job(now=now) for name, job, _ in _periodic if name not in without}


def queue_answers() -> bool:
    """Is the queue reachable? Raises what its driver raises when it is not."""
    huey = current_app.extensions["huey"]
    # An open SQLite file goes on answering after it was deleted, but no worker will ever look into it.
    if isinstance(huey, SqliteHuey) and not Path(huey.storage.filename).exists():
        return False
    return huey.pending_count() >= 0
