"""A share is what somebody else follows. Whoever only looks, programs, and one's own browsers bring nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from app.engagement.referrals.queries import code_of_member
from app.engagement.sharing.models import ShareVisit
from app.foundation import clock
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.terms import change
from app.identity.invitations import COOKIE, DEVICE
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.ledger.models import Transfer
from tests.cast import sign_in
from tests.conftest import NOON
from tests.mall.catalog.shelf import put_on_shelf

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def link(app, alice):
    """Alice has looked at her sharing page on her own phone; its client is kept as ``link.phone``."""
    phone = sign_in(app.test_client(), alice)
    phone.get("/share")
    return f"/s/{code_of_member(alice.id)}"


def earned(member):
    db.session.rollback()
    booked = sa.select(Transfer.amount).where(Transfer.key.like(f"reward:sharing:{member.id}:%"))
    return list(db.session.scalars(booked.order_by(Transfer.id)))


def visits():
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(ShareVisit))


def follow(app, link, *, by=None):
    """Open the link in a browser of its own and go on."""
    friend = app.test_client()
    if by is not None:
        sign_in(friend, by)
    friend.get(link)
    return friend.post(f"{link}/visits")


def test_who_follows_the_link_brings_thirty_points(app, alice, link):
    answer = follow(app, link)
    assert (answer.status_code, answer.location) == (303, "/programme")
    assert earned(alice) == [30]


def test_a_product_leads_to_its_page_and_is_named_in_the_history(app, alice, link):
    slug = put_on_shelf("Green tea")
    assert follow(app, f"{link}/{slug}").location == f"/mall/{slug}"
    assert earned(alice) == [30]
    why = db.session.scalar(sa.select(Transfer.explanation).where(Transfer.kind == "sharing"))
    assert why["about"] == "Green tea"


def test_looking_alone_brings_nothing(app, alice, link):
    for _ in range(3):
        assert app.test_client().get(link).status_code == 200
    assert (earned(alice), visits()) == ([], 0)


def test_a_program_that_keeps_no_cookies_brings_nothing(app, alice, link):
    program = app.test_client(use_cookies=False)
    program.get(link)
    assert program.post(f"{link}/visits").status_code == 303
    assert (earned(alice), visits()) == ([], 0)


def test_the_member_brings_themselves_nothing_from_any_browser(app, alice, link):
    other_browser = sign_in(app.test_client(), alice)
    assert other_browser.get(link).location == "/share"
    other_browser.post(f"{link}/visits")
    phone = sign_in(app.test_client(), alice)
    phone.get("/share")
    with phone.session_transaction() as session:
        session.clear()  # Signed out, on the phone that is known as hers.
    phone.get(link)
    phone.post(f"{link}/visits")
    assert (earned(alice), visits()) == ([], 0)


def test_a_colleague_is_no_customer(app, alice, agent, link):
    assert follow(app, link, by=agent).status_code == 303
    assert (earned(alice), visits()) == ([], 0)


def test_another_member_counts_and_is_not_invited_again(app, alice, bob, link):
    friend = sign_in(app.test_client(), bob)
    friend.get(link)
    friend.post(f"{link}/visits")
    assert earned(alice) == [30]
    assert friend.get_cookie(COOKIE) is None


def test_one_browser_counts_once_a_day_whatever_it_opens(app, alice, link):
    with transaction():
        change(EarningTerms, {"rewards": {"sharing": {"points": 30}}}, by=SYSTEM, now=NOON)
    slug, friend = put_on_shelf("Green tea"), app.test_client()
    for path in (link, f"{link}/{slug}", link):
        friend.get(path)
        friend.post(f"{path}/visits")
    assert (earned(alice), visits()) == ([30], 1)


def test_the_same_thing_brings_points_once_a_day_however_many_follow(app, alice, link):
    with transaction():
        change(EarningTerms, {"rewards": {"sharing": {"points": 30}}}, by=SYSTEM, now=NOON)
    for _ in range(3):
        follow(app, link)
    assert (earned(alice), visits()) == ([30], 3)
    follow(app, f"{link}/{put_on_shelf('Green tea')}")
    assert earned(alice) == [30, 30]


def test_the_cap_of_the_day_holds(app, alice, link):
    for name in ("Green tea", "Black tea"):
        follow(app, f"{link}/{put_on_shelf(name)}")
    assert (earned(alice), visits()) == ([30], 2)


def test_a_day_ends_at_midnight_in_the_programmes_zone(app, alice, link):
    """The server's own days, in UTC, end eight hours later."""
    last = datetime(2026, 6, 16, 23, 59, 59, tzinfo=SHANGHAI)
    for moment, so_far in [
        (last - timedelta(hours=1), [30]),
        (last, [30]),
        (last + timedelta(seconds=1), [30, 30]),
        (last + timedelta(hours=8, seconds=1), [30, 30]),
    ]:
        with clock.freeze(moment):
            follow(app, link)
        assert earned(alice) == so_far


def test_who_joins_by_a_recommendation_came_by_invitation(app, alice, link):
    friend = app.test_client()
    friend.get(link)
    assert f'value="{link.removeprefix("/s/")}"' in friend.get("/registration").text


@pytest.mark.parametrize("path", ["/s/2222222", "/s/no!", "/s/{code}/no-such-product"])
def test_what_is_not_there_says_so_and_counts_nothing(app, alice, link, path):
    path = path.format(code=link.removeprefix("/s/"))
    answer = app.test_client().get(path)
    assert answer.status_code == 404
    assert "no longer here" in answer.text
    assert app.test_client().post(f"{path}/visits").status_code == 404
    assert visits() == 0


def test_the_page_has_the_link_in_every_form_and_works_without_scripts(client, alice):
    slug = put_on_shelf("Green tea")
    page = sign_in(client, alice).get(f"/share/{slug}")
    code = code_of_member(alice.id)
    assert f'value="http://127.0.0.1:8000/s/{code}/{slug}" readonly' in page.text
    assert f'src="/share/{slug}/code.svg"' in page.text
    assert "Nobody has followed this link today yet." in page.text
    assert client.get_cookie(DEVICE)
    assert client.get(f"/share/{slug}/code.svg").mimetype == "image/svg+xml"
    assert client.get("/share.svg").mimetype == "image/svg+xml"
    assert client.get("/share/no-such-product").status_code == 404


def test_the_page_tells_what_came_of_it(app, client, alice, link):
    follow(app, link)
    page = sign_in(client, alice).get("/share").text
    assert "1 person followed this link today." in page


def test_where_sharing_pays_nothing_nothing_is_promised(client, alice):
    with transaction():
        change(EarningTerms, {"rewards": {}}, by=SYSTEM, now=NOON)
    page = sign_in(client, alice).get("/share").text
    assert "What sharing brings" not in page
    assert "Copy the link" in page


def test_names_are_text(client, alice):
    slug = put_on_shelf("<script>alert(1)</script>")
    page = sign_in(client, alice).get(f"/share/{slug}").text
    assert "<script>alert" not in page
