"""``page()``: one template, whole or part.

A fragment is a named block of its page, and the server decides which request gets it:
an htmx request whose target is one of ``fragments``. Boosted requests and history
restores get the page, and so does everybody without JavaScript.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import (
    Flask,
    Response,
    current_app,
    has_request_context,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_login import current_user
from jinja2_fragments.flask import render_block
from werkzeug.wrappers import Response as BaseResponse

from app.extensions import htmx
from app.foundation.languages import LABELS, current_locale


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the page, as far as a layout needs to know."""

    kind: str
    name: str

    @property
    def initials(self) -> str:
        return initials(self.name)


def initials(name: str) -> str:
    """What stands for a picture: one CJK character, or the first letters of two words."""
    words = name.split()
    if not words:
        return "·"
    if not words[0][0].isascii():
        return words[0][-1]
    return "".join(word[0] for word in words[:2]).upper()


@dataclass(frozen=True, slots=True)
class NavItem:
    label: str
    url: str
    icon: str
    active: bool
    primary: bool = True
    group: str = ""


def page(
    template: str,
    *,
    fragments: Collection[str] = (),
    status: int = 200,
    headers: dict[str, str] | None = None,
    **context: Any,
) -> Response:
    """Render a page, or the one of its ``fragments`` (block names) that htmx asks for."""
    target = (request.headers.get("HX-Target") or "").replace("-", "_")
    part = htmx and not htmx.boosted and not htmx.history_restore_request and target in fragments
    body = render_block(template, target, **context) if part else render_template(template, **context)
    response = make_response(body, status, headers or {})
    response.vary.add("HX-Request")
    return response


def seen(url: str) -> BaseResponse:
    """Answer a successful POST: go and look at ``url`` (303), so that reload does not send the form again."""
    return redirect(url, code=303)


# Ends the address of a page whose form was refused because the session had ended: its script fills the form in again.
KEPT = "#kept"


def local_url(candidate: str | None, default: str) -> str:
    """``candidate`` if it is a path on this site, else ``default``; never a way out to another site."""
    # Browsers drop tabs and line ends inside an address, so "/<tab>/evil.example" would lead away.
    if not candidate or not candidate.startswith("/") or any(ord(sign) < 32 for sign in candidate):
        return default
    return default if candidate[1:2] in ("/", "\\") else candidate


def url_of(endpoint: str) -> str:
    """``url_for`` of a page whose address says nothing but which page it is: the frame of each page names a dozen."""
    return _url_of(request.script_root, endpoint)


@cache
def _url_of(_root: str, endpoint: str) -> str:
    return url_for(endpoint)


def public_url(endpoint: str, **values: Any) -> str:
    """A link to be read outside the site, as in a message. It stands on the shop's own address, never on the
    request's host: whoever asks chooses that one, and a link in somebody's mail would lead to them."""
    home: str = current_app.config["SETTINGS"].public_url
    # A job that writes a message serves no request.
    path = (
        url_for(endpoint, **values) if has_request_context() else current_app.url_map.bind("").build(endpoint, values)
    )
    return home.rstrip("/") + path


def viewer() -> Viewer:
    person = current_user._get_current_object()  # Once, instead of for every word about it.
    if not person.is_authenticated:
        return Viewer("visitor", "")
    return Viewer(person.actor.kind, person.name)


def init_app(app: Flask) -> None:
    @app.context_processor
    def about_the_request() -> dict[str, Any]:
        locale = current_locale()
        return {
            "viewer": viewer(),
            "current_locale": locale,
            "html_lang": locale.replace("_", "-"),
            "locales": list(LABELS.items()),
            "programme_name": current_app.config["SETTINGS"].programme_name,
            "here": request.full_path.rstrip("?"),
        }
