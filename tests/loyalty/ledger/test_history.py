"""The history on the points page: filtered by kind, place, time and words, and at home in a very long one."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app.foundation.database import transaction
from app.foundation.points import Growth, Points
from app.loyalty.ledger import actions as ledger
from app.loyalty.ledger import history
from app.loyalty.ledger.explanations import explanation
from tests.cast import make_unit, sign_in
from tests.conftest import NOON
from tests.factories import buy, give_points, make_member

DAY = timedelta(days=1)
CHINESE = {"Accept-Language": "zh-CN"}


@pytest.fixture
def found(client, carol):
    """The amounts that GET /points shows Carol; keyword arguments are the query."""
    sign_in(client, carol)

    def get(path="/points", headers=None, **query):
        answer = client.get(path, query_string=query, headers=headers)
        assert answer.status_code == 200
        return amounts(answer.text)

    return get


def amounts(text):
    return re.findall(r'<span class="amount (?:plus|minus|pending)">([^<]+)</span>', text)


def redeem(member, amount, number, *, name="Green tea", chinese="绿茶", at=NOON):
    why = explanation("order.redeem", number=number, name={"en": name, "zh_Hans": chinese})
    with transaction():
        return ledger.spend(
            member_id=member.id, amount=Points(amount), key=f"order:{number}:redeem", kind="redemption",
            explanation=why, now=at,
        )  # fmt: skip


@pytest.fixture
def story(carol):
    """An opening balance, a purchase in the mall, two redemptions and a correction."""
    mall = make_unit()
    with transaction():
        give_points(carol.id, 1000, key="start", at=NOON - 40 * DAY)
    buy(carol.id, 7700, unit=mall, order_no="SHOP-77", at=NOON - 10 * DAY)
    redeem(carol, 30, "J-1001", at=NOON - 2 * DAY)
    redeem(carol, 45, "J-1002", name="Umbrella 100%", chinese="雨伞", at=NOON - DAY)
    reason = explanation("desk.adjustment", reason_code="goodwill", reason={"en": "Goodwill", "zh_Hans": "补偿"})
    with transaction():
        ledger.adjust(member_id=carol.id, amount=Points(5), key="fix", explanation=reason, now=NOON)


def test_one_kind_at_a_time(found, story):
    assert found(kind="redemption") == ["−45", "−30"]
    assert found(kind="purchase") == ["+77"]
    assert found(kind="adjustment") == ["+5"]
    assert found(kind="checkin") == []


def test_the_menu_names_only_kinds_that_the_member_has(client, found, story):
    text = client.get("/points").text
    menu = text.partition('id="kind"')[2].partition("</select>")[0]
    assert re.findall(r'value="(\w+)"', menu) == ["adjustment", "opening", "purchase", "redemption"]


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("J-1001", ["−30"]),
        ("j-1002", ["−45"]),
        ("SHOP-77", ["+77"]),
        ("green TEA", ["−30"]),
        ("绿茶", ["−30"]),
        ("伞", ["−45"]),
        ("补偿", ["+5"]),
        ("goodwill", ["+5"]),
        ("Redeemed", ["−45", "−30"]),
        ("redeemed umbrella", ["−45"]),
        ("Harbour", ["+77"]),
        ("77", ["+77"]),
        ("-45", ["−45"]),
        ("1,000", ["+1,000"]),
    ],
)
def test_words_find_what_a_line_is_about(found, story, words, lines):
    assert found(q=words) == lines


def test_a_kind_is_found_by_its_name_in_the_readers_language(found, story):
    assert found(q="兑换", headers=CHINESE) == ["−45", "−30"]
    assert found(q="Redeemed", headers=CHINESE) == []


def test_signs_and_inner_names_mean_nothing_but_themselves(found, story):
    assert found(q="%") == found(q="100%") == ["−45"]
    for words in ("_", "J_1001", "\\", "/", "'", '"', "code", "order.redeem", "steps"):
        assert found(q=words) == [], words


def test_quotation_marks_and_backslashes_are_found_as_they_read(carol, found):
    with transaction():
        give_points(carol.id, 100, key="start")
    redeem(carol, 7, "J-7", name='Tea "Gold" \\o/')
    assert found(q='"gold"') == found(q="\\O/") == ["−7"]
    assert found(q='"tea"') == []


def test_too_long_a_search_says_so_and_keeps_what_was_typed(client, found, story):
    answer = client.get("/points", query_string={"q": "tea " * 40})
    assert answer.status_code == 422
    assert "at most 80 characters" in answer.text
    assert "tea tea tea" in answer.text
    assert amounts(answer.text) == []


def test_odd_searches_are_answered(client, found, story):
    for words in ("   ", "🍵" * 20, "(((", "[a-z]+", "\ud7ff", "-" * 80, "9" * 40, "=cmd()", "<script>"):
        answer = client.get("/points", query_string={"q": words})
        assert answer.status_code == 200, words
        assert "<script>alert" not in answer.text


def test_from_and_to_are_both_included(found, story):
    first = (NOON - 10 * DAY).date().isoformat()
    last = (NOON - 2 * DAY).date().isoformat()
    assert found(since=first, until=last) == ["−30", "+77"]
    assert found(since=last) == ["+5", "−45", "−30"]
    assert found(until=first) == ["+77", "+1,000"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"since": "2026-02-30"}, "Please give a day of the calendar"),
        ({"since": "0000-01-01"}, "Please give a day of the calendar"),
        ({"until": "99999-01-01"}, "Please give a day of the calendar"),
        ({"until": "0001-01-01"}, "Please choose a day between"),
        ({"until": "9999-12-31"}, "Please choose a day between"),
        ({"since": "yesterday"}, "Please give a day of the calendar"),
        ({"since": "２０２６-01-01"}, "Please give a day of the calendar"),
        ({"since": "2026-06-15", "until": "2026-06-01"}, "The period ends before it begins"),
    ],
)
def test_days_that_make_no_sense_are_refused_with_a_sentence_and_kept(client, found, story, query, sentence):
    answer = client.get("/points", query_string=query)
    assert answer.status_code == 422
    assert sentence in answer.text
    for typed in query.values():
        assert f'value="{typed}"' in answer.text
    assert amounts(answer.text) == []


def test_all_filters_together_and_over_pages(client, carol, found):
    mall, cinema = make_unit(), make_unit("cinema", "Cinema City")
    with transaction():
        for n in range(1, 91):
            give_points(carol.id, n, key=f"n{n}", unit_id=(mall, cinema)[n % 2].id, at=NOON - (100 - n) * DAY)
    days = {"since": (NOON - 80 * DAY).date().isoformat(), "until": (NOON - 20 * DAY).date().isoformat()}
    query, seen = {"show": "earned", "kind": "opening", "unit": "cinema", "q": "opening", **days}, []
    text = client.get("/points", query_string=query).text
    while True:
        seen += [int(amount) for amount in amounts(text)]
        older = re.search(r'rel="next" href="([^"]+)"', text)
        if not older:
            break
        assert all(part in older[1] for part in ("show=earned", "kind=opening", "unit=cinema", "q=opening", "since="))
        text = client.get(older[1].replace("&amp;", "&")).text
    assert seen == list(range(79, 20, -2))


def test_what_is_chosen_can_be_taken_off_one_by_one(client, found, story):
    text = client.get("/points", query_string={"kind": "redemption", "q": "绿茶", "period": "month"}).text
    without = re.findall(r'<a class="chip" href="([^"]+)" aria-label="Without ([^"]+)"', text)
    assert {label for _url, label in without} == {"“绿茶”", "Redeemed", "This month"}
    assert all("kind=" not in url for url, label in without if label == "Redeemed")
    assert all("q=" in url for url, label in without if label == "Redeemed")


def test_a_search_by_htmx_leaves_a_plain_address(client, found, story):
    asked = {"q": "tea", "kind": "", "unit": "", "period": "", "since": "", "until": ""}
    answer = client.get("/points", query_string=asked, headers={"HX-Request": "true", "HX-Target": "history"})
    assert answer.headers["HX-Push-Url"] == "/points?q=tea"
    assert amounts(answer.text) == ["−30"]


def test_nothing_found_says_so_and_leads_back(client, found, story):
    text = client.get("/points", query_string={"q": "elephant"}).text
    assert "Nothing found" in text
    assert "Show all" in text


def test_a_part_ends_after_so_many_lines_and_the_next_one_goes_on(client, carol, found, monkeypatch):
    monkeypatch.setattr(history, "LOOKED_THROUGH", 10)
    with transaction():
        give_points(carol.id, 500, key="needle")
        for n in range(1, 26):
            give_points(carol.id, n, key=f"n{n}")
    text, pages = client.get("/points", query_string={"q": "needle"}).text, 1
    while not amounts(text):
        assert "Nothing found so far" in text
        assert "Look further back" in text
        text = client.get(re.search(r'rel="next" href="([^"]+)"', text)[1].replace("&amp;", "&")).text
        pages += 1
    assert amounts(text) == ["+500"]
    assert pages == 3
    assert 'rel="next"' not in text


def test_a_long_history_offers_every_kind(client, carol, found, monkeypatch):
    monkeypatch.setattr(history, "RECENT", 1)
    with transaction():
        for n in range(3):
            give_points(carol.id, 1, key=f"n{n}")
    assert 'value="purchase"' in client.get("/points").text


def test_growth_has_a_figure_and_a_history_of_its_own(client, carol, found):
    with transaction():
        give_points(carol.id, 11, key="points")
        ledger.award(
            member_id=carol.id, amount=Growth(240), key="growth", kind="purchase",
            explanation=explanation("opening"), occurred_at=NOON, now=NOON,
        )  # fmt: skip
    assert found() == ["+11"]
    assert "240" in client.get("/points").text
    text = client.get("/points/growth").text
    assert amounts(text) == ["+240"]
    assert 'aria-current="page">Growth value' in text
    assert found("/points/growth", q="elephant") == []
    assert client.get("/points/growth", query_string={"since": "nonsense"}).status_code == 422


def test_an_empty_growth_page_says_where_it_comes_from(client, found):
    assert "Nothing has grown yet" in client.get("/points/growth").text


def test_nobody_finds_what_belongs_to_somebody_else(client, found, story):
    bob = make_member(name="Bob")
    with transaction():
        give_points(bob, 4321, key="bobs-secret")
    assert found(q="bobs-secret") == []
    assert found(q="4321") == []
