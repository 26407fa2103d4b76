"""The member's points pages: figures, history, reasons, and nobody else's."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.loyalty.ledger import actions as ledger
from app.loyalty.ledger.models import Transfer
from tests.cast import make_unit, sign_in
from tests.conftest import NOON
from tests.factories import give_points, make_member

DAY = timedelta(days=1)


@pytest.fixture
def points(client, carol):
    """GET /points as Carol; keyword arguments are the query."""
    sign_in(client, carol)

    def get(headers=None, **query):
        answer = client.get("/points", query_string=query, headers=headers)
        assert answer.status_code == 200
        return answer.text

    return get


def why(*steps):
    return {"code": "opening", "steps": list(steps)}


def spend(member, amount, key="order:J1"):
    with transaction():
        return ledger.spend(
            member_id=member.id, amount=Points(amount), key=key, kind="redemption", explanation=why(), now=NOON
        )


def amounts(text):
    """The amounts of the history, in order, as they read."""
    return re.findall(r'<span class="amount (?:plus|minus|pending)">([^<]+)</span>', text)


def test_an_empty_account_says_how_to_begin(points):
    text = points()
    assert "Your first points are one tap away" in text
    assert 'href="/check-in"' in text
    assert "What expires when" not in text


def test_the_three_figures_are_available_on_the_way_and_set_aside(points, carol):
    with transaction():
        give_points(carol.id, 1234, key="a")
        give_points(carol.id, 85, key="b", pending=True)
        ledger.hold(
            member_id=carol.id,
            amount=Points(200),
            key="h",
            kind="redemption",
            explanation=why(),
            deadline=None,
            now=NOON,
        )
    figures = re.findall(r'stat-value figure">([^<]+)<', points())
    assert figures == ["1,034", "85", "200"]


def test_newest_first_with_balance_and_sign(points, carol):
    with transaction():
        give_points(carol.id, 100, key="a")
    spend(carol, 30)
    text = points()
    assert amounts(text) == ["−30", "+100"]
    assert "Balance 70" in text


def test_the_filters_show_what_they_say(points, carol):
    with transaction():
        give_points(carol.id, 100, key="a")
        give_points(carol.id, 40, key="old", at=NOON - 9 * DAY, expires_at=NOON - DAY)
        give_points(carol.id, 85, key="b", pending=True)
    spend(carol, 30)  # writes off what has expired
    shown = {show: amounts(points(show=show)) for show in ("all", "earned", "spent", "expired", "on_the_way")}
    assert shown == {
        "all": ["−30", "−40", "+40", "+100"],
        "earned": ["+40", "+100"],
        "spent": ["−30"],
        "expired": ["−40"],
        "on_the_way": ["+85"],
    }


def test_units_can_be_told_apart(points, carol):
    mall, cinema = make_unit(), make_unit("cinema", "Cinema City")
    with transaction():
        give_points(carol.id, 11, key="m", unit_id=mall.id)
        give_points(carol.id, 22, key="c", unit_id=cinema.id)
    assert amounts(points(unit="cinema")) == ["+22"]
    assert "Cinema City" in points()


def test_a_period_begins_with_a_month_in_the_programmes_timezone(points, carol):
    first = clock.start_of(date(2026, 6, 1), clock.programme_zone())
    with transaction():
        give_points(carol.id, 3, key="march", at=first - 100 * DAY)
        give_points(carol.id, 1, key="may", at=first - timedelta(seconds=1))
        give_points(carol.id, 2, key="june", at=first)
    assert sorted(amounts(points(period="month"))) == ["+2"]
    assert sorted(amounts(points(period="quarter"))) == ["+1", "+2"]
    assert sorted(amounts(points(period="year"))) == ["+1", "+2", "+3"]


def test_a_filter_that_fits_nothing_offers_the_way_back(points, carol):
    with transaction():
        give_points(carol.id, 1, key="a")
    assert "Show all" in points(show="spent")
    assert "Nothing on the way" in points(show="on_the_way")


def test_older_pages_show_every_line_once(points, carol):
    with transaction():
        for n in range(1, 48):
            give_points(carol.id, n, key=f"n{n}")
    text, seen = points(), []
    while True:
        seen += [int(amount) for amount in amounts(text)]
        older = re.search(r'rel="next" href="/points\?before=(\d+)"', text)
        if not older:
            break
        text = points(before=older[1])
    assert seen == list(range(47, 0, -1))


def test_a_line_that_comes_meanwhile_shifts_no_page(points, carol):
    with transaction():
        for n in range(1, 30):
            give_points(carol.id, n, key=f"n{n}")
    before = re.search(r"before=(\d+)", points())[1]
    with transaction():
        give_points(carol.id, 500, key="meanwhile")
    assert amounts(points(before=before))[0] == "+9"


def test_htmx_gets_the_history_or_only_what_is_older(points, carol):
    with transaction():
        for n in range(1, 30):
            give_points(carol.id, n, key=f"n{n}")
    history = points(headers={"HX-Request": "true", "HX-Target": "history"}, show="earned")
    assert history.lstrip().startswith('<section id="history"')
    before = re.search(r"before=(\d+)", history)[1]
    more = points(headers={"HX-Request": "true", "HX-Target": "more"}, before=before)
    assert "<section id=" not in more
    assert len(amounts(more)) == 9


def test_absurd_filters_are_not_found(client, points):
    for query in (
        {"show": "everything"},
        {"unit": "nowhere"},
        {"period": "century"},
        {"before": "-1"},
        {"before": "x"},
        {"before": "9" * 30},
        {"before": "１"},
        {"unit": "' OR 1=1"},
        {"show": "x" * 5000},
    ):
        assert client.get("/points", query_string=query).status_code == 404, query


def test_what_expires_when_is_a_picture_and_a_list(points, carol):
    zone = clock.programme_zone()
    with transaction():
        give_points(carol.id, 300, key="a", expires_at=clock.end_of(date(2026, 8, 31), zone))
        give_points(carol.id, 50, key="b", expires_at=clock.end_of(date(2026, 8, 31), zone))
        give_points(carol.id, 900, key="c", expires_at=clock.end_of(date(2029, 1, 31), zone))
    text = points()
    chart = text.partition("What expires when")[2].partition("</svg>")[0]
    assert 'role="img"' in chart
    assert "350" in chart
    assert "900" not in chart  # further than the twelve months of the picture, but in the list
    listed = re.findall(r"<dt>([^<]+)</dt><dd>([\d,]+)</dd>", text)
    assert listed == [("Aug 31, 2026", "350"), ("Jan 31, 2029", "900")]


def test_a_line_has_a_page_with_its_reason(client, points, carol):
    with transaction():
        posting = give_points(carol.id, 100, key="a")
    answer = client.get(f"/points/{posting.transfer_id}")
    assert answer.status_code == 200
    assert "Why these points?" in answer.text
    assert "Your balance when this programme began." in answer.text


def test_somebody_elses_line_looks_like_none(client, points, mallory):
    bob = make_member(name="Bob")
    with transaction():
        give_points(bob, 31_337, key="bobs")
    theirs = db.session.scalar(sa.select(Transfer.id).where(Transfer.key == "bobs"))
    for who in (None, mallory):
        if who:
            sign_in(client, who)
        answer = client.get(f"/points/{theirs}")
        assert answer.status_code == 404
        assert "31,337" not in answer.text
    assert "31,337" not in client.get("/points").text


def test_ids_that_cannot_be_are_not_found(client, points):
    for wrong in ("0", "-1", "9" * 18, str(2**63), str(10**30), "x", "1.5", "１"):
        assert client.get(f"/points/{wrong}").status_code == 404, wrong


def test_only_members_have_points_pages(client, agent, app):
    assert client.get("/points").location.startswith("/session")
    sign_in(client, agent)
    assert client.get("/points").status_code == 403


@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
def test_it_speaks_the_members_language(client, carol, language):
    with transaction():
        give_points(carol.id, 100, key="a")
    sign_in(client, carol)
    assert client.get("/points", headers={"Accept-Language": language}).status_code == 200


def test_the_number_of_queries_does_not_grow_with_the_history(points, carol):
    def count():
        seen = []
        note = lambda *_: seen.append(1)  # noqa: E731
        sa.event.listen(db.engine, "before_cursor_execute", note)
        points()
        sa.event.remove(db.engine, "before_cursor_execute", note)
        return len(seen)

    with transaction():
        give_points(carol.id, 1, key="first")
    few = count()
    with transaction():
        for n in range(40):
            give_points(carol.id, 1, key=f"n{n}", expires_at=NOON + (n + 1) * 30 * DAY)
    assert count() == few
