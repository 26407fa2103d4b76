"""What the mall's pages cost, against a bare Flask page with one query: ``python -m bench.mall_pages``.

The list, a search, a product, a cart of three, the checkout and its recalculation, an order and the list of orders, for
a member with benefits, with few products and with many. As ``bench.pages`` does it: CPU time, every page in turn within
each round, the least disturbed round counts; asked for without a network in between. Shop and bare page read the same
SQLite file. The statements are counted, and must not become more with the catalogue.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.test import EnvironBuilder

from app import create_app
from app.config import Settings
from app.foundation import clock
from app.foundation.database import db, transaction
from app.identity.members.actions import add_address
from app.identity.members.models import Member
from app.loyalty.ledger import actions as ledger
from app.mall.cart.actions import put_in
from app.mall.catalog.models import Price, Variant
from app.mall.orders.actions import place
from app.mall.orders.queries import Wanted, quote
from bench import catalog
from bench.ledger import award
from bench.orders import ADDRESS
from bench.pages import WARM_UP, Ask, asking, bare, counted, cpu_ms, measure, profile, signed_in

MOST = 12
IN_CART = 3


def open_shop(folder: Path, size: int) -> Flask:
    """A mall with so many products, and a member who has points, two addresses, a cart and an order."""
    folder.mkdir()
    app = create_app(Settings(environment="testing", instance_path=folder, cheap_passwords=True))
    with app.app_context():
        upgrade()
        catalog.fill(size)
        member = db.session.scalars(sa.select(Member.id).where(Member.email == catalog.MEMBER)).one()
        with transaction():
            ledger.award_many([award(member, f"bench:{number}") for number in range(10_000)], now=clock.now())
        live(member)
        db.session.remove()
    return app


def live(member: int) -> None:
    now = clock.now()
    ways = sa.select(Variant.id, sa.func.max(Price.id)).join(Price, Price.product_id == Variant.product_id)
    goods = db.session.execute(ways.group_by(Variant.id).order_by(Variant.id).limit(IN_CART)).all()
    cheapest = db.session.execute(
        sa.select(Variant.id, Price.id)
        .join(Price, Price.product_id == Variant.product_id)
        .order_by(Price.points, Price.id)
        .limit(1)
    ).all()
    with transaction():
        for street in ("8 Harbour Road", "1 Bund"):
            add_address(db.session.get_one(Member, member), **(ADDRESS | {"line": street}), now=now)
        for variant, price in goods:
            put_in(member_id=member, variant_id=variant, price_id=price, quantity=1, now=now)
    wanted = [Wanted(*ids) for ids in cheapest]
    with transaction():
        expected = quote(member_id=member, wanted=wanted, now=now).figures
        place(member_id=member, wanted=wanted, address=ADDRESS, key="b" * 32, expected=expected, now=now)


# --- asking -------------------------------------------------------------------------------------


def posting(app: Flask, path: str, form: MultiDict[str, str], *, cookie: str) -> Ask:
    """Sends the same form again and again, each time with a fresh body."""
    headers = Headers({"Cookie": cookie, "Accept-Language": "en"})
    environ = EnvironBuilder(path, method="POST", data=form, headers=headers).get_environ()
    sent = environ["wsgi.input"].read()

    def ask() -> bytes:
        status: list[str] = []

        def start(line: str, *_rest: Any) -> Callable[[bytes], object]:
            status.append(line)
            return status.append  # type: ignore[return-value]

        answer = app.wsgi_app(environ | {"wsgi.input": BytesIO(sent)}, start)
        body = b"".join(answer)
        answer.close()  # type: ignore[attr-defined]
        if status != ["200 OK"]:
            raise SystemExit(f"{path} answered {status}")
        return body

    return ask


def form_of(page: bytes) -> MultiDict[str, str]:
    """What a browser would send of the checkout's form."""
    found = re.search(r'<form class="checkout".*?</form>', page.decode(), re.DOTALL)
    assert found is not None
    form: MultiDict[str, str] = MultiDict()
    for tag in re.findall(r"<input[^>]*>", found[0]):
        facts = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in facts and (facts.get("type") != "radio" or " checked" in tag):
            form.add(facts["name"], facts.get("value", ""))
    return form


def pages_of(app: Flask) -> dict[str, Ask]:
    cookie = signed_in(app)
    number = re.search(rb'href="/orders/(\w+)"', asking(app, "/orders", cookie=cookie)())
    assert number is not None
    paths = {
        "list": "/mall",
        "search": "/mall?q=green",
        "product": "/mall/product-17",
        "cart": "/cart",
        "checkout": "/checkout?unit=mall",
        "order": f"/orders/{number[1].decode()}",
        "orders": "/orders",
    }
    asks = {name: asking(app, path, cookie=cookie) for name, path in paths.items()}
    form = form_of(asks["checkout"]())
    form["offset"] = "100"
    return asks | {"quote": posting(app, "/checkout/quote", form, cookie=cookie)}


def statements(app: Flask, pages: dict[str, Ask]) -> dict[str, int]:
    needed = {}
    for name, ask in pages.items():
        with app.app_context(), counted() as seen:
            ask()
        needed[name] = len(seen)
    return needed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs=2, default=(20, 2_000), metavar=("FEW", "MANY"))
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--profile", metavar="PAGE", help="where this page's time goes, by function")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jifen-mall-pages-") as folder:
        run(Path(folder), tuple(options.sizes), options.rounds, options.profile)


def run(folder: Path, sizes: tuple[int, int], rounds: int, profiled: str | None) -> None:
    shops = {size: open_shop(folder / str(size), size) for size in sizes}
    asks = {size: pages_of(app) for size, app in shops.items()}
    for pages in asks.values():
        for ask in pages.values():
            cpu_ms(ask, WARM_UP)
    if profiled:
        profile(asks[max(sizes)][profiled])
        return
    needed = {size: statements(app, asks[size]) for size, app in shops.items()}
    bare_page = asking(bare(folder / str(max(sizes)) / "jifen.db"), "/")
    took = {size: measure(bare_page, asks[size], rounds) for size in sizes}
    for name in asks[sizes[0]]:
        words = [
            f"{size:,} products: {took[size][name]:6.2f} ms, {needed[size][name]:2} queries,"
            f" bare / {name} = {took[size]['bare'] / took[size][name]:.3f}"
            for size in sizes
        ]
        print(f"{name:>10}  {'   '.join(words)}")
    same = all(len({needed[size][name] for size in sizes}) == 1 for name in asks[sizes[0]])
    most = max(count for counts in needed.values() for count in counts.values())
    verdict = "met" if most <= MOST else "MISSED"
    growth = "as many" if same else "NOT as many"
    print(f"bare {took[max(sizes)]['bare']:.2f} ms; at most {most} queries (bar {MOST}: {verdict}),")
    print(f"{growth} with many products as with few")


if __name__ == "__main__":
    main()
