"""``/healthz``: the process is up. ``/readyz``: it can do its work, too."""

from __future__ import annotations

import logging

import sqlalchemy as sa
from flask import Blueprint, Flask, jsonify
from flask.typing import ResponseReturnValue

from app.extensions import limiter, talisman
from app.foundation import jobs
from app.foundation.database import db
from app.foundation.permissions import public

log = logging.getLogger(__name__)
health = Blueprint("health", __name__)


@health.get("/healthz")
@talisman(force_https=False)
@public
def alive() -> ResponseReturnValue:
    return jsonify(status="ok")


@health.get("/readyz")
@talisman(force_https=False)
@public
def ready() -> ResponseReturnValue:
    """503 with the names of what does not answer; the reason goes to the log, not to the world."""
    checks = {"database": _database_answers, "queue": jobs.queue_answers}
    failed = [name for name, check in checks.items() if not _passes(name, check)]
    body = {name: "failed" if name in failed else "ok" for name in checks}
    return jsonify(status="failed" if failed else "ok", **body), 503 if failed else 200


def _passes(name: str, check: object) -> bool:
    try:
        return bool(check())  # type: ignore[operator]
    except Exception:
        log.exception("not ready: %s", name)
        return False


def _database_answers() -> bool:
    return db.session.scalar(sa.text("SELECT 1")) == 1


def init_app(app: Flask) -> None:
    limiter.exempt(health)
    app.register_blueprint(health)
