"""Jifen: a member portal and points mall. ``create_app`` is its table of contents."""

from __future__ import annotations

import logging

from flask import Flask

from app import entrypoints, extensions, handlers
from app.config import ROOT, Settings
from app.foundation import addresses, assets, faults, formats, jobs, kept, languages, pages, permissions, security
from app.foundation.database import db, prepare_engine


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application. Raises ``ConfigurationError`` when the environment cannot be used."""
    settings = settings or Settings.from_env()
    app = Flask(
        __name__,
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
        instance_path=str(settings.instance_path),
    )
    configure(app, settings)
    kept.init_app(app)
    bind_extensions(app, settings)
    security.init_app(app)
    for room in (addresses, faults, permissions, pages, assets, formats, languages):
        room.init_app(app)
    handlers.init_app(app)
    entrypoints.init_app(app)
    jobs.init_app(app)
    return app


def configure(app: Flask, settings: Settings) -> None:
    settings.instance_path.mkdir(parents=True, exist_ok=True)
    app.testing = settings.environment == "testing"
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.sqlalchemy_url,
        MAX_CONTENT_LENGTH=12 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "app" / "translations"),
        BABEL_DEFAULT_LOCALE=settings.default_locale,
        RATELIMIT_STORAGE_URI=settings.redis_url or "memory://",
        # Every browser takes one of the two; gzip also where the page is not encrypted, and for files too.
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_ALGORITHM_STREAMING=["br", "gzip"],
        COMPRESS_BR_LEVEL=6,
        COMPRESS_MIMETYPES=[
            "text/html",
            "text/css",
            "text/javascript",
            "application/javascript",
            "application/json",
            "application/manifest+json",
            "image/svg+xml",
        ],
        **settings.extra,
    )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # Whitespace around template tags would be a tenth of each page.
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def bind_extensions(app: Flask, settings: Settings) -> None:
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    extensions.babel.init_app(
        app,
        locale_selector=languages.readers_locale,
        timezone_selector=lambda: settings.timezone,
    )
    extensions.compress.init_app(app)
    extensions.csrf.init_app(app)
    extensions.htmx.init_app(app)
    extensions.limiter.init_app(app)
    extensions.login_manager.init_app(app)
    extensions.migrate.init_app(app, db, directory=str(ROOT / "migrations"))
