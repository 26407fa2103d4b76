"""Statements: balances that add up whatever happened, a page, a CSV and a PDF that say the same."""

from __future__ import annotations

import csv
import io
import random
import re
from datetime import date, timedelta
from itertools import pairwise

import pypdfium2
import pytest
import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import db, transaction
from app.foundation.errors import DomainError
from app.foundation.points import Points
from app.identity.members.models import Member
from app.loyalty.ledger import actions as ledger
from app.loyalty.ledger import paper, periods
from app.loyalty.ledger.explanations import explanation
from app.loyalty.ledger.jobs import expire_points
from app.loyalty.ledger.models import Transfer, Wallet
from app.loyalty.ledger.periods import all_lines_in, lines_in, period_of
from app.loyalty.ledger.sheets import safe
from tests.cast import make_unit, sign_in
from tests.conftest import NOON
from tests.factories import give_points, make_member

DAY = timedelta(days=1)
STEPS = ["award", "award", "pend", "spend", "hold", "post", "void", "back", "claw", "reverse", "expire"]
ALL = {"since": "2026-01-01", "until": "2026-12-31"}


@pytest.fixture
def carol(app):
    return db.session.get(Member, make_member(name="Carol"))


@pytest.fixture
def get(client, carol):
    """GET as Carol."""
    sign_in(client, carol)

    def get(path, status=200, headers=None, **query):
        answer = client.get(path, query_string=query or None, headers=headers)
        assert answer.status_code == status
        return answer

    return get


def give(member, points, key, at, **fields):
    with transaction():
        give_points(member.id, points, key=key, at=at, **fields)


def spend(member, points, key, at, name="Green tea"):
    why = explanation("order.redeem", number=key, name={"en": name, "zh_Hans": "绿茶"})
    with transaction():
        ledger.spend(
            member_id=member.id, amount=Points(points), key=key, kind="redemption", explanation=why, now=at
        )  # fmt: skip


def rows(answer):
    text = answer.get_data(as_text=True)
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


# --- they add up ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_any_two_days_have_balances_that_add_up(alice, seed):
    """Awards, pending ones, holds, expiries, returns, clawbacks into debt, reversals: whatever came."""
    told, now = _live(alice, random.Random(seed)), NOON
    moments = [NOON - DAY, *sorted({at for at, _key in told}), now + 400 * DAY]
    edges = [moments[0], *random.Random(seed).sample(moments[1:-1], 6), moments[-1]]
    edges.sort()
    whole = period_of(alice.member_id, since=moments[0], until=moments[-1])
    wallet = db.session.scalars(sa.select(Wallet).where(Wallet.id == whole.wallet_id)).one()
    assert (whole.opening.value, whole.closing.value) == (0, wallet.balance)
    assert {line.kind for line in lines_in(whole, limit=10_000)} >= {"purchase", "redemption", "expiry", "clawback"}
    assert min(line.balance_after for line in lines_in(whole, limit=10_000)) < 0  # There was debt.
    balance, seen = 0, []
    for since, until in pairwise(edges):
        part = period_of(alice.member_id, since=since, until=until)
        lines = lines_in(part, limit=10_000)
        assert part.opening.value == balance
        balance += sum(line.amount for line in lines)
        assert part.closing.value == balance
        assert part.opening + part.gained + part.lost == part.closing
        assert part.gained.value == sum(line.amount for line in lines if line.amount > 0)
        assert part.lines == len(lines)
        assert all(since <= line.recorded_at < until for line in lines)
        seen += [line.id for line in lines]
    moved = sa.select(Transfer.id).where(Transfer.wallet_id == wallet.id, Transfer.phase.in_(("single", "post")))
    assert seen == list(db.session.scalars(moved.order_by(Transfer.sequence)))


def _live(teller, dice):
    """A life of random steps, each a while after the one before. Returns (moment, key) of what was tried."""
    now, told, spent, earned, waiting = NOON, [], [], [], []
    for n in range(70):
        now += timedelta(hours=dice.randint(1, 60))
        key, amount = f"k{n}", dice.randint(1, 40)
        step = dice.choice(
            ["award", "award", "pend", "spend", "hold", "post", "void", "back", "claw", "reverse", "expire"]
        )
        told.append((now, key))
        try:
            if step == "award":
                teller.award(amount, key, at=now, now=now, expires_at=now + dice.choice([4, 30, 300]) * DAY)
                earned.append(key)
            elif step == "pend":
                teller.award(amount, key, at=now, now=now, pending=True)
                waiting.append(key)
            elif step == "spend":
                teller.spend(amount, key, now=now)
                spent.append(key)
            elif step == "hold":
                teller.hold(amount, key, now=now)
                waiting.append(key)
            elif step in ("post", "void") and waiting:
                getattr(teller, step)(waiting.pop(), key, now=now)
            elif step == "back" and spent:
                teller.give_back(dice.choice(spent), 1, key, now=now)
            elif step == "claw" and earned:
                teller.claw_back(dice.choice(earned), dice.randint(1, 20), key, now=now)
            elif step == "reverse" and earned:
                teller.reverse(earned.pop(), key, now=now)
            elif step == "expire":
                expire_points(now=now)
        except DomainError:
            db.session.rollback()
    teller.award(50, "last", at=now, now=now, expires_at=now + DAY)
    teller.spend(max(teller.standing(now=now).available.value, 1), "all", now=now)
    teller.claw_back("last", 50, "debt", now=now)
    teller.award(100, "fresh", at=now, now=now, expires_at=now + DAY)
    expire_points(now=now + 2 * DAY)
    return told


def test_a_day_belongs_to_the_programmes_timezone(carol):
    midnight = clock.start_of(date(2026, 6, 1), clock.programme_zone())
    give(carol, 5, "may", midnight - timedelta(seconds=1))
    give(carol, 7, "june", midnight)
    zone = clock.programme_zone()
    june = period_of(carol.id, since=midnight, until=clock.end_of(date(2026, 6, 30), zone))
    assert (june.opening, june.gained, june.closing) == (Points(5), Points(7), Points(12))


def test_a_member_without_a_wallet_has_an_empty_statement(app):
    with transaction():
        member = Member(code="NOBODY", name="", created_at=NOON)
        db.session.add(member)
    nothing = period_of(member.id, since=NOON, until=NOON + DAY)
    assert (nothing.opening, nothing.closing, nothing.lines) == (Points(0), Points(0), 0)


# --- the page -------------------------------------------------------------------------------


def test_the_page_shows_opening_in_out_and_closing(get, carol):
    give(carol, 100, "a", NOON - 40 * DAY)
    give(carol, 30, "b", NOON - DAY)
    spend(carol, 45, "J1", NOON)
    text = get("/points/statements").text
    assert re.findall(r"<dd>([−+\d,]+)</dd>", text)[:4] == ["100", "+30", "−45", "85"]
    assert re.findall(r'class="amount (?:plus|minus)">([^<]+)<', text) == ["+30", "−45"]
    assert "/points/statements.pdf?since=2026-06-01&amp;until=2026-06-30" in text


def test_the_months_on_offer_begin_with_the_first_line(get, carol):
    give(carol, 1, "a", NOON - 70 * DAY)
    text = get("/points/statements").text
    assert re.findall(r'<option value="([\d-]+)"', text) == ["2026-06", "2026-05", "2026-04"]
    assert 'value="2026-06" selected' in text
    assert 'value="2026-05" selected' in get("/points/statements", month="2026-05").text


def test_a_quiet_period_says_so(get, carol):
    give(carol, 1, "a", NOON)
    text = get("/points/statements", since="2025-01-01", until="2025-01-31").text
    assert "Nothing was booked on these days" in text


def test_long_statements_go_on_from_the_last_line(get, carol):
    with transaction():
        for n in range(1, 121):
            give_points(carol.id, n, key=f"n{n}")
    text, seen = get("/points/statements").text, []
    while True:
        seen += [int(each) for each in re.findall(r'class="amount plus">\+(\d+)<', text)]
        more = re.search(r'rel="next" href="([^"]+)"', text)
        if not more:
            break
        text = get(more[1].replace("&amp;", "&")).text
    assert seen == list(range(1, 121))


@pytest.mark.parametrize("path", ["/points/statements", "/points/statements.csv", "/points/statements.pdf"])
def test_days_that_make_no_sense_are_refused_with_a_sentence_and_kept(get, path):
    for query, sentence in (
        ({"since": "2026-02-30", "until": "2026-03-01"}, "Please give a day of the calendar"),
        ({"since": "0000-01-01", "until": "2026-03-01"}, "Please give a day of the calendar"),
        ({"since": "0001-01-01", "until": "2026-03-01"}, "Please choose a day between"),
        ({"since": "2026-01-01", "until": "9999-12-31"}, "Please choose a day between"),
        ({"since": "2026-01-01", "until": "99999-01-01"}, "Please give a day of the calendar"),
        ({"since": "2026-03-02", "until": "2026-03-01"}, "The period ends before it begins"),
        ({"until": "2026-03-01"}, "Please fill this in"),
        ({"month": "2026-13"}, "Please choose a month"),
        ({"month": "x" * 3000}, "Please choose a month"),
    ):
        answer = get(path, status=422, **query)
        assert sentence in answer.text, query
        assert all(f'value="{typed}"' in answer.text for name, typed in query.items() if name != "month")
    assert get("/points/statements", after="-1").status_code == 200
    assert get("/points/statements", after="9" * 400).status_code == 200


def test_what_begins_and_has_no_end_goes_on_until_today(get, carol):
    give(carol, 9, "a", NOON)
    assert "until=2026-06-15" in get("/points/statements", since="2026-06-03").text


def test_only_the_member_sees_them(client, carol, agent, mallory):
    give(carol, 7654321, "a", NOON)
    for path in ("/points/statements", "/points/statements.csv", "/points/statements.pdf"):
        assert app_test_client(client).get(path).location.startswith("/session")
        assert sign_in(app_test_client(client), agent).get(path).status_code == 403
        theirs = sign_in(app_test_client(client), mallory).get(path, query_string=ALL).get_data()
        assert b"7654321" not in theirs
        assert b"7,654,321" not in theirs


def app_test_client(client):
    return client.application.test_client()


# --- CSV ------------------------------------------------------------------------------------


def test_the_csv_has_every_line_between_its_two_balances(get, carol):
    mall = make_unit()
    give(carol, 100, "a", NOON - 40 * DAY)
    give(carol, 30, "b", NOON - DAY, unit_id=mall.id)
    spend(carol, 45, "J1", NOON)
    answer = get("/points/statements.csv", since="2026-06-01", until="2026-06-30")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="points-2026-06-01-2026-06-30.csv"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    titles, opening, *lines, closing = rows(answer)
    assert titles == ["Booked", "Happened", "Kind", "Where", "Points", "Balance", "Reason", "Reference"]
    assert (opening[0], opening[2], opening[5]) == ("2026-06-01", "Opening balance", "100")
    assert lines[0][:6] == [
        "2026-06-14 12:00:00",
        "2026-06-14 12:00:00",
        "Opening balance",
        "Harbour Mall",
        "30",
        "130",
    ]
    assert lines[1][2:] == ["Redeemed", "", "-45", "85", "Order J1: Green tea.", "J1"]
    assert (closing[0], closing[2], closing[5]) == ("2026-06-30", "Closing balance", "85")


def test_the_csv_speaks_the_members_language(get, carol):
    spend_after = NOON + timedelta(hours=1)
    give(carol, 100, "a", NOON)
    spend(carol, 45, "J1", spend_after)
    text = get("/points/statements.csv", headers={"Accept-Language": "zh-CN"}).get_data(as_text=True)
    assert "绿茶" in text
    assert "积分兑换" in text


def test_no_text_of_a_csv_is_a_formula(get, carol):
    give(carol, 100, "a", NOON)
    spend(carol, 45, "=1+1", NOON)
    line = rows(get("/points/statements.csv"))[3]
    assert line[7] == "'=1+1"
    assert line[4] == "-45"  # A number stays one.
    for text in ("=1", "+1", "-1", "@x", "\tx", "\rx", "＝1", "＋1", "－1", "＠x"):
        assert safe(text) == f"'{text}"
    assert safe("tea = leaves") == "tea = leaves"


def test_the_csv_is_read_and_sent_in_parts(get, carol, monkeypatch):
    monkeypatch.setattr(periods, "BATCH", 7)
    with transaction():
        for n in range(1, 41):
            give_points(carol.id, n, key=f"n{n}")
    answer = get("/points/statements.csv")
    assert [int(row[4]) for row in rows(answer)[2:-1]] == list(range(1, 41))
    period = period_of(carol.id, since=NOON - DAY, until=NOON + DAY)
    assert [len(part) for part in all_lines_in(period)] == [7, 7, 7, 7, 7, 5]


# --- PDF ------------------------------------------------------------------------------------


def pages(data):
    document = pypdfium2.PdfDocument(data)
    return [document[n].get_textpage().get_text_range() for n in range(len(document))]


def test_the_pdf_says_whose_and_when_and_every_line(get, carol):
    give(carol, 1000, "a", NOON - 40 * DAY)
    give(carol, 30, "b", NOON - DAY, unit_id=make_unit().id)
    spend(carol, 45, "J1", NOON, name="Tea & <b>biscuits</b>")
    answer = get("/points/statements.pdf", since="2026-06-01", until="2026-06-30")
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="points-2026-06-01-2026-06-30.pdf"'
    (text,) = pages(answer.data)
    for part in ("Jifen", "Statement of points", "Carol", carol.code, "Jun 1, 2026", "Jun 30, 2026", "Harbour Mall",
                 "+30", "–45", "1,030", "985", "Tea & <b>biscuits</b>", "Page 1 of 1"):  # fmt: skip
        assert part in text


def test_the_same_statement_is_the_same_pdf_to_the_byte(get, carol):
    give(carol, 1000, "a", NOON)
    assert get("/points/statements.pdf").data == get("/points/statements.pdf").data


def test_long_pdfs_repeat_the_head_and_number_their_pages(get, carol):
    with transaction():
        for n in range(1, 61):
            give_points(carol.id, n, key=f"n{n}")
    texts = pages(get("/points/statements.pdf").data)
    assert len(texts) > 1
    for number, text in enumerate(texts, start=1):
        assert f"Page {number} of {len(texts)}" in text
        assert "Balance" in text
        assert carol.code in text


@pytest.mark.parametrize("name", ["W" * 20_000, "王" * 20_000])
def test_a_reason_without_end_does_not_keep_the_pdf_from_being_set(get, carol, name):
    give(carol, 100, "a", NOON)
    spend(carol, 45, "J1", NOON, name=name)
    (text,) = pages(get("/points/statements.pdf").data)
    assert "–45" in text


def test_a_pdf_has_a_most_of_lines_and_the_way_to_the_csv(get, carol, monkeypatch):
    monkeypatch.setattr(paper, "LONGEST", 2)
    with transaction():
        for n in range(1, 4):
            give_points(carol.id, n, key=f"n{n}")
    refused = get("/points/statements.pdf", status=422)
    assert "3 lines, and a PDF takes at most 2" in refused.text
    text = get("/points/statements").text
    assert "statements.pdf" not in text
    assert "too long for a PDF" in text


@pytest.mark.parametrize(("language", "words"), [("zh-CN", "绿茶"), ("zh-TW", "绿茶")])
def test_the_pdf_speaks_chinese(get, carol, language, words):
    give(carol, 100, "a", NOON)
    spend(carol, 45, "J1", NOON, name="Tea 🍵")
    (text,) = pages(get("/points/statements.pdf", headers={"Accept-Language": language}).data)
    assert words in text
    assert "Balance" not in text
    assert "55" in text
