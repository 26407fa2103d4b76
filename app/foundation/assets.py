"""Static files are addressed by their content, so that browsers may keep them for a year."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, current_app, request


@cache
def _fingerprint(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


@cache
def _path(place: tuple[str, str], name: str) -> str:
    folder, address = place
    return f"{address}/{name}?v={_fingerprint(f'{folder}/{name}')}"


def static_url(name: str) -> str:
    """``css/app.css`` → ``/static/css/app.css?v=1f0c…``. Raises ``FileNotFoundError`` for a name that is not there."""
    # Not by url_for: a page names its icons dozens of times, and would spend a tenth of its time on their addresses.
    return request.script_root + _path(current_app.config["STATIC"], name)


def _cache_for_ever(response: Response) -> Response:
    if request.endpoint == "static" and "v" in request.args and response.status_code in (200, 304):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def init_app(app: Flask) -> None:
    app.config["STATIC"] = app.static_folder, app.static_url_path
    app.jinja_env.globals["static_url"] = static_url
    app.after_request(_cache_for_ever)
