"""Pages that are kept, together with everything that was read to make them.

Who asks for the same page again gets the one that is kept, if all of that still reads the same: no statement is
compiled, no object made, nothing rendered or compressed. So nobody has to think of what a page depends on, and a figure
that has changed shows at once. What is not read from the database must be part of the question: see ``_question``.
Between two readings only the clock moves: statements are asked with the present moment, and as Python also looks
at the clock, nothing is kept beyond the minute. Whatever begins or ends in our programme does so on a full one.

Pages stay in the process that made them. See docs/adr/0020-kept-pages.md.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request, session

from app.foundation import clock
from app.foundation.database import db
from app.foundation.reading import Read, Reading, unchanged

V = TypeVar("V", bound=Callable[..., Any])
MOST = 500  # Pages.
MOST_READS = 30

# All that our pages ask of a request besides its address, its cookies and the session.
HEADERS = (
    "HTTP_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_HX_REQUEST",
    "HTTP_HX_TARGET",
    "HTTP_HX_BOOSTED",
    "HTTP_HX_HISTORY_RESTORE_REQUEST",
)
ADDRESS = ("wsgi.url_scheme", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING")


def kept(view: V) -> V:
    """Declare that the page may be shown again. A view that writes, or limits how often somebody may ask, never is."""
    view.kept = True  # type: ignore[attr-defined]
    return view


@dataclass(frozen=True, slots=True)
class Page:
    minute: int
    reads: Sequence[Read]
    body: bytes
    headers: list[tuple[str, str]]


class Shelf:
    """The pages asked for last."""

    def __init__(self) -> None:
        self.pages: OrderedDict[Any, Page] = OrderedDict()
        self.lock = Lock()

    def find(self, question: Any) -> Page | None:
        with self.lock:
            page = self.pages.get(question)
            if page is not None:
                self.pages.move_to_end(question)
            return page

    def put(self, question: Any, page: Page) -> None:
        with self.lock:
            self.pages[question] = page
            self.pages.move_to_end(question)
            while len(self.pages) > MOST:
                self.pages.popitem(last=False)


def _question() -> Any:
    """Everything that a page may depend on and that is not in the database."""
    asked, own = request.environ, current_app.config["SESSION_COOKIE_NAME"]
    return (
        *(asked.get(name) for name in ADDRESS + HEADERS),
        *((name, value) for name, value in request.cookies.items(multi=True) if name != own),
        repr(sorted(session.items())),
    )


def _minute(now: datetime) -> int:
    return int(now.timestamp() // 60)


def _show_again() -> Response | None:
    """Runs before everything else: what it would have said was part of the same question."""
    if request.method != "GET" or not getattr(current_app.view_functions.get(request.endpoint or ""), "kept", False):
        return None
    now, question = clock.now(), _question()
    shelf: Shelf = current_app.extensions["kept"]
    page = shelf.find(question)
    if page and page.minute == _minute(now) and unchanged(db.engine, page.reads, now=now):
        return Response(page.body, headers=page.headers)
    g.reading, g.question = Reading(now), question
    return None


def _keep(response: Response) -> Response:
    """Runs after everything else, when the page has been compressed."""
    reading: Reading | None = g.pop("reading", None)
    if reading is None or response.status_code != 200 or response.is_streamed or "Set-Cookie" in response.headers:
        return response
    if not db.session().in_transaction():
        return response  # What was read in it can no longer be told from what came after.
    reading.finish()
    if not reading.sound or len(reading.reads) > MOST_READS:
        return response
    minute = _minute(reading.began)
    # A view that changes the session, by taking a message out of it, has made a page for once.
    if minute == _minute(clock.now()) and _question() == g.question:
        page = Page(minute, reading.reads, response.get_data(), list(response.headers))
        current_app.extensions["kept"].put(g.question, page)
    return response


def init_app(app: Flask) -> None:
    """To be called before all others, so that it is the first to be asked and the last to be told."""
    app.extensions["kept"] = Shelf()
    app.before_request(_show_again)
    app.after_request(_keep)
