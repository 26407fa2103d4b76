"""What a page costs, against a bare Flask page with one query: ``python -m bench.pages``.

CPU time rather than the clock, because other programs run on the same machine, and every page in turn within each
round, because the processor is not always equally fast. The pages are asked for as a WSGI server asks for them,
without a client or a network in between, from the demo's data in SQLite; the bare page reads the same file.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask, render_template
from flask_sqlalchemy import SQLAlchemy
from jinja2 import DictLoader
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from app import create_app
from app.config import Settings
from app.foundation.database import db
from app.identity.members.models import Member
from tools.prepare import prepare

MEMBER = "alice@example.com"
BAR = 0.5
WARM_UP = 30

Ask = Callable[[], bytes]


def asking(app: Flask, path: str, *, cookie: str = "", encoding: str = "") -> Ask:
    """Asks for a page again and again, each time with a fresh copy of the same request."""
    headers = Headers({"Cookie": cookie, "Accept-Encoding": encoding, "Accept-Language": "en"})
    environ = EnvironBuilder(path, headers=headers).get_environ()

    def ask() -> bytes:
        status: list[str] = []

        def start(line: str, *_rest: Any) -> Callable[[bytes], object]:
            status.append(line)
            return status.append  # type: ignore[return-value]

        answer = app.wsgi_app(environ.copy(), start)
        body = b"".join(answer)
        answer.close()  # type: ignore[attr-defined]
        if status != ["200 OK"]:
            raise SystemExit(f"{path} answered {status}")
        return body

    return ask


def bare(file: Path) -> Flask:
    """A page as Flask's own tutorials write it: a template, and one object of Flask-SQLAlchemy's."""
    app = Flask("bare")
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{file}"
    app.jinja_loader = DictLoader({"hello.html": "<!doctype html><title>Hello</title><p>Hello, {{ name }}"})
    own = SQLAlchemy(app)

    class Person(own.Model):  # type: ignore[name-defined]
        __tablename__ = "member"
        id = sa.Column(sa.Integer, primary_key=True)
        name = sa.Column(sa.Text)
        email = sa.Column(sa.Text)

    @app.get("/")
    def show() -> str:
        person = own.session.scalars(sa.select(Person).where(Person.email == MEMBER)).one()
        return render_template("hello.html", name=person.name)

    return app


def signed_in(app: Flask) -> str:
    """The cookie of a member who has looked at a page already."""
    client = app.test_client()
    with app.app_context():
        person = db.session.scalars(sa.select(Member).where(Member.email == MEMBER)).one()
        with client.session_transaction() as session:
            session.update(_user_id=person.get_id(), _fresh=True)
    client.get("/mall")
    cookie = client.get_cookie("session")
    assert cookie is not None
    return f"session={cookie.value}"


def a_product(app: Flask, cookie: str) -> str:
    found = re.search(rb'href="(/mall/[a-z-]+)"', asking(app, "/mall", cookie=cookie)())
    assert found is not None
    return found[1].decode()


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that SQLAlchemy runs inside. SQLite is told BEGIN aloud, which is not counted."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement != "BEGIN":
            seen.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


def cpu_ms(ask: Ask, times: int) -> float:
    start = time.process_time()
    for _ in range(times):
        ask()
    return 1000 * (time.process_time() - start) / times


def profile(ask: Ask) -> None:
    profiler = cProfile.Profile()
    profiler.runcall(cpu_ms, ask, 100)
    for order in ("cumulative", "tottime"):
        pstats.Stats(profiler).sort_stats(order).print_stats(50)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instance", type=Path, help="a folder with a prepared database (default: a fresh demo)")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--profile", metavar="PAGE", help="where this page's time goes, by function")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jifen-pages-") as folder:
        run(options.instance or Path(folder), options.rounds, options.profile)


def run(folder: Path, rounds: int, profiled: str | None) -> None:
    app = create_app(Settings(environment="testing", instance_path=folder, cheap_passwords=True))
    prepare(app)
    pages = our_pages(app)
    for ask in pages.values():
        cpu_ms(ask, WARM_UP)
    if profiled:
        profile(pages[profiled])
        return
    queries = {}
    for name, ask in pages.items():
        with counted() as seen:
            ask()
        queries[name] = len(seen)
    report(measure(asking(bare(folder / "jifen.db"), "/"), pages, rounds), queries)


def our_pages(app: Flask) -> dict[str, Ask]:
    cookie = signed_in(app)
    ours = {"home": "/", "points": "/points", "mall": "/mall", "product": a_product(app, cookie)}
    pages = {name: asking(app, path, cookie=cookie) for name, path in ours.items()}
    return pages | {
        "programme": asking(app, "/programme"),
        "home, compressed": asking(app, "/", cookie=cookie, encoding="br, gzip"),
        "home, made anew": anew(app, cookie),
    }


def anew(app: Flask, cookie: str) -> Ask:
    """A member's home of which nothing is kept: that of an application of its own, which forgets."""
    other = create_app(app.config["SETTINGS"])
    ask, pages = asking(other, "/", cookie=cookie), other.extensions["kept"].pages

    def again() -> bytes:
        pages.clear()
        return ask()

    return again


def measure(bare_page: Ask, pages: dict[str, Ask], rounds: int) -> dict[str, float]:
    """CPU milliseconds a request in the least disturbed round: what others do on the machine only ever adds to it."""
    cpu_ms(bare_page, WARM_UP)
    turns: list[tuple[str, Ask, int]] = [("bare", bare_page, 50), *((name, ask, 5) for name, ask in pages.items())]
    every = [{name: cpu_ms(ask, times) for name, ask, times in turns} for _ in range(rounds)]
    return {name: min(each[name] for each in every) for name, _, _ in turns}


def report(took: dict[str, float], queries: dict[str, int]) -> None:
    for name, ms in took.items():
        count = queries.get(name, 1)
        words = f"{count:2} {'query' if count == 1 else 'queries'}"
        print(f"{name:>16} {ms:6.2f} ms, {words:10} bare / {name} = {took['bare'] / ms:.3f}")
    ratio = took["bare"] / took["home"]
    print(f"bare / home = {ratio:.2f} (bar {BAR}: {'met' if ratio >= BAR else 'MISSED'})")


if __name__ == "__main__":
    main()
