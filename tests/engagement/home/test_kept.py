"""The home page is kept as long as all that was read for it reads the same: whatever changes shows at once."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from app.engagement.checkin.actions import check_in
from app.engagement.checkin.terms import CheckinTerms
from app.foundation import clock
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.foundation.terms import change, publish, values_of
from app.identity.members.actions import add_address, sign_out_everywhere, update_profile
from app.identity.members.queries import member_by_id
from app.loyalty.benefits.actions import claim
from app.loyalty.ledger import actions as ledger
from app.loyalty.ledger.freezing import freeze
from app.loyalty.ledger.queries import standing
from app.loyalty.tiers import actions as tiers
from app.mall.catalog.actions import archive_product
from app.mall.catalog.queries import Product
from app.mall.orders.actions import cancel
from tests.cast import sign_in
from tests.conftest import NOON
from tests.engagement.home.test_page import queries_of
from tests.factories import buy, give_points
from tests.loyalty.benefits.having import defaults
from tests.loyalty.tiers.climbing import put_on
from tests.mall.orders.shop import ADDRESS, attempt, make_goods, order_some, report

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
DEARER = {"rewards": "9 9 9"}
TOKENS = re.compile(r'(name="csrf_token" value="|"X-CSRFToken": ")[^"]+')


@pytest.fixture
def shelf(app):
    pages = app.extensions["kept"].pages
    pages.clear()
    yield pages
    pages.clear()


@pytest.fixture
def home(client, alice, unit, shelf):
    """What she is shown, which is always what would be made for her now."""
    sign_in(client, alice)
    with transaction():
        tiers.install_defaults()
        give_points(alice.id, 5000, key="begin")
    client.get("/")  # Her session gets the secret of its forms.

    def look():
        shown = TOKENS.sub("", client.get("/").text)
        shelf.clear()
        assert shown == TOKENS.sub("", client.get("/").text)
        return shown

    return look


def is_kept(client, path="/"):
    return queries_of(lambda: client.get(path)) == []


def spend(alice):
    ledger.spend(
        member_id=alice.id,
        amount=Points(40),
        key="spent",
        kind="redemption",
        account="redemption",
        explanation={"code": "opening", "steps": []},
        now=NOON,
    )


def hers(alice):
    return member_by_id(alice.id)


THINGS = {
    "an award": lambda alice: give_points(alice.id, 7, key="won"),
    "an award on its way": lambda alice: give_points(alice.id, 7, key="soon", pending=True),
    "a spend": spend,
    "a check-in": lambda alice: check_in(member_id=alice.id, now=NOON),
    "a freeze": lambda alice: freeze(member_id=alice.id, reason="fraud", now=NOON),
    "a name": lambda alice: update_profile(hers(alice), name="Alice Ma", gender="", birth_date=None, now=NOON),
    "a tier": lambda alice: tiers.give_tier(
        member=hers(alice), tier_code="gold", last_day=date(2026, 12, 31), reason="Guest", by=SYSTEM, now=NOON
    ),
    "new terms": lambda _alice: change(CheckinTerms, values_of(CheckinTerms()) | DEARER, by=SYSTEM, now=NOON),
}


@pytest.mark.parametrize("thing", THINGS)
def test_what_happens_shows_at_once(client, home, alice, thing):
    before = home()
    assert is_kept(client)
    with transaction():
        THINGS[thing](alice)
    assert home() != before


OTHER_PLACES = {
    "/points": lambda alice: give_points(alice.id, 7, key="won"),
    "/mall": lambda _alice: make_goods("Cup"),
    "/orders": lambda alice: order_some(alice.id, make_goods("Cup")),
    "/me": lambda alice: update_profile(hers(alice), name="Alice Ma", gender="", birth_date=None, now=NOON),
}


@pytest.mark.parametrize("path", OTHER_PLACES)
def test_the_other_places_of_the_bar_are_kept_and_true(client, home, alice, path):
    client.get(path)
    before = client.get(path).text
    assert is_kept(client, path)
    if path in ("/mall", "/orders"):
        OTHER_PLACES[path](alice)
    else:
        with transaction():
            OTHER_PLACES[path](alice)
    assert TOKENS.sub("", client.get(path).text) != TOKENS.sub("", before)


def test_a_purchase_and_the_way_to_the_next_tier_show_at_once(client, home, alice, unit):
    before = home()
    buy(alice.id, 31_000, unit=unit)
    assert "Your way to Silver" in before
    assert "¥310 / " in home()


def test_every_step_of_an_order_and_of_the_shelf_shows_at_once(client, home, alice):
    seen = [home()]

    def changed():
        seen.append(home())
        assert is_kept(client)
        return seen[-1] != seen[-2]

    tea = make_goods("Green tea", points=10, cash=100, stock=3)
    cup = make_goods("Cup", points=30, cash=100, stock=1)
    order = order_some(alice.id, tea)
    assert changed(), "an order"
    report(order, attempt(order))
    assert changed(), "its payment"
    last = order_some(alice.id, cup)
    assert changed(), "the last cup"
    with transaction():
        cancel(order_id=last, by=alice.actor, now=NOON)
    assert changed(), "the order's end"
    mug = make_goods("Mug", points=30)
    assert changed(), "a product that points alone buy"
    with transaction():
        archive_product(product=db.session.get(Product, mug.product_id), by=SYSTEM, now=NOON)
    assert "Mug" in seen[-1]
    assert "Mug" not in home()


def test_a_gift_shows_when_it_is_there_and_goes_when_it_is_claimed(client, home, alice):
    assert "waiting for you" not in home()
    defaults()
    put_on("gold", alice.id, since=NOON)
    assert "1 gift is waiting for you" in home()
    assert is_kept(client)
    with transaction():
        claim(member=hers(alice), code="monthly-gift-gold", period="2026-06", now=NOON)
    assert "waiting for you" not in home()


def test_a_complete_profile_is_no_longer_asked_for(client, home, alice):
    with transaction():
        update_profile(hers(alice), name="Alice Lin", gender="female", birth_date=date(1990, 1, 1), now=NOON)
    assert "Complete your profile" in home()
    with transaction():
        add_address(member=hers(alice), now=NOON, **ADDRESS)
    assert "Complete your profile" not in home()


def test_points_die_in_the_very_moment_within_a_kept_minute(client, home, alice):
    dies = NOON + timedelta(seconds=20, microseconds=5)
    with transaction():
        give_points(alice.id, 70, key="short", expires_at=dies)
    alive = int(standing(alice.id, now=NOON).available)
    assert f">{alive:,}<" in home()
    with clock.freeze(dies - timedelta(microseconds=1)):
        assert is_kept(client)
        assert f">{alive:,}<" in home()
    with clock.freeze(dies):
        assert f">{alive - 70:,}<" in home()


def test_at_midnight_in_the_programmes_timezone_a_new_day_can_be_checked_in(client, home, alice):
    midnight = clock.end_of(NOON.date(), clock.programme_zone())
    with clock.freeze(midnight - SECOND):
        with transaction():
            check_in(member_id=alice.id, now=clock.now())
        assert "Check in for" not in home()
        assert is_kept(client)
    with clock.freeze(midnight):
        assert "Check in for" in home()


def test_terms_hold_from_their_moment_on(client, home, alice):
    starts = NOON + timedelta(seconds=30)
    with transaction():
        dearer = values_of(CheckinTerms()) | DEARER
        publish(CheckinTerms, dearer, starts_at=starts, note="", by=SYSTEM, now=NOON)
    assert "Check in for 5 points" in home()
    with clock.freeze(starts - SECOND):
        assert is_kept(client)
    with clock.freeze(starts):
        assert "Check in for 9 points" in home()


def test_no_page_is_kept_beyond_its_minute(client, home):
    home()
    with clock.freeze(NOON + MINUTE - SECOND):
        assert is_kept(client)
    with clock.freeze(NOON + MINUTE):
        assert not is_kept(client)


def test_another_language_is_another_page(client, home, alice):
    english = home()
    client.post("/language", data={"locale": "zh_Hans", "next": "/"})
    assert 'lang="zh-Hans"' in home()
    client.post("/language", data={"locale": "en", "next": "/"})
    assert home() == english


def test_nobody_sees_anybody_elses(app, client, home, alice, bob):
    home()
    other = app.test_client()
    sign_in(other, bob)
    for _ in range(3):
        assert "Bob Chen" in other.get("/").text
    assert is_kept(other)
    assert "Alice Lin" in home()


def test_whoever_is_signed_out_elsewhere_is_shown_nothing(client, home, alice):
    home()
    assert is_kept(client)
    with transaction():
        sign_out_everywhere(hers(alice), now=NOON)
    assert client.get("/").status_code == 302


def test_a_message_is_shown_once(client, home):
    home()
    with client.session_transaction() as session:
        session["_flashes"] = [("message", "Welcome back")]
    assert "Welcome back" in client.get("/").text
    assert "Welcome back" not in client.get("/").text


def test_forms_of_a_kept_page_work(app, client, home):
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        home()
        assert is_kept(client)
        token = re.search(r'name="csrf_token" value="([^"]+)', client.get("/").text)[1]
        answer = client.post("/check-in", data={"next": "/", "csrf_token": token})
        assert answer.status_code == 303
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert "1 day in a row" in home()


def test_a_kept_answer_is_the_made_one_to_its_headers(client, home):
    home()
    made = client.get("/?", headers={"Accept-Encoding": "br"})
    again = client.get("/?", headers={"Accept-Encoding": "br"})
    assert made.data == again.data
    assert again.headers["Content-Encoding"] == "br"
    assert again.headers["Cache-Control"] == "private, no-store"
    assert {name for name, _ in made.headers} == {name for name, _ in again.headers}
    assert len(made.headers) == len(again.headers)
    assert made.headers["X-Request-Id"] != again.headers["X-Request-Id"]
