"""Headers that keep a page to itself, and the passwords' hash."""

from __future__ import annotations

from functools import cache
from itertools import chain

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Flask, Response, abort, current_app, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from itsdangerous import URLSafeTimedSerializer
from werkzeug.middleware.proxy_fix import ProxyFix

from app.extensions import talisman

POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",  # Bootstrap draws its checkmarks and arrows as data: pictures.
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
# They tell a browser what a document may do. A page shows twenty pictures, and theirs weighed a tenth of it.
OF_DOCUMENTS = ("Content-Security-Policy", "Permissions-Policy", "X-Frame-Options", "Referrer-Policy")
PICTURES = frozenset({"image/webp", "image/png", "image/jpeg"})
PERMISSIONS = dict.fromkeys(("camera", "microphone", "geolocation", "payment", "usb"), "()")


@cache
def _hasher(cheap: bool) -> PasswordHasher:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1) if cheap else PasswordHasher()


def hash_password(password: str) -> str:
    return _hasher(current_app.config["SETTINGS"].cheap_passwords).hash(password)


def password_matches(hashed: str | None, password: str) -> bool:
    """Compare in the same time whether or not there is such an account: nothing is compared with a dummy."""
    hasher = _hasher(current_app.config["SETTINGS"].cheap_passwords)
    try:
        return hasher.verify(hashed or _dummy(hasher), password) and bool(hashed)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _dummy(hasher: PasswordHasher) -> str:
    return hasher.hash("no such account")


def _keep_private(response: Response) -> Response:
    """Pages of a signed-in person never stay in a shared cache. Files say themselves how long they may; the page
    about one that is not there carries a name and a session like any other."""
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-store"
    return response


def _lighten(response: Response) -> Response:
    """A picture can do nothing, so nothing needs to be forbidden to it. An SVG can be a document, and is left alone."""
    if response.mimetype in PICTURES:
        for name in OF_DOCUMENTS:
            response.headers.pop(name, None)
    return response


@cache
def _serializer(app: Flask) -> URLSafeTimedSerializer | None:
    """Made once: its keys are those of the settings, which stay as they are."""
    return SecureCookieSessionInterface().get_signing_serializer(app)


class _Sessions(SecureCookieSessionInterface):
    """What everybody may keep (styles, pictures) carries nobody's cookie and is the same whatever cookie asks."""

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        return _serializer(app)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not response.cache_control.public:
            super().save_session(app, session, response)


def _refuse_nul() -> None:
    """No text of ours holds a NUL, and PostgreSQL refuses it: such a request was made to break something."""
    texts = [[request.path], *request.args.listvalues()]
    if request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        texts += request.form.listvalues()
    if any("\0" in text for text in chain.from_iterable(texts)):
        abort(400)


def init_app(app: Flask) -> None:
    settings = app.config["SETTINGS"]
    secure = settings.public_url.startswith("https://")
    app.config.update(
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.after_request(_lighten)  # Called after what is registered below.
    talisman.init_app(
        app,
        content_security_policy={**POLICY, "form-action": f"'self' {settings.checkout_origin}".strip()},
        permissions_policy=PERMISSIONS,
        force_https=settings.production,
        strict_transport_security=secure,
        session_cookie_secure=secure,
        referrer_policy="same-origin",
    )
    app.session_interface = _Sessions()
    app.before_request(_refuse_nul)
    app.after_request(_keep_private)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
