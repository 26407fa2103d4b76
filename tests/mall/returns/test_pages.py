"""A member sends something back: what they see before, after, and what nobody else sees."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import db, transaction
from app.identity.members.models import Member
from app.mall.orders.jobs import complete_orders
from app.mall.orders.models import Order, OrderLine
from app.mall.returns import pictures
from app.mall.returns.actions import approve, reject
from app.mall.returns.models import ReturnCase
from tests.cast import sign_in
from tests.conftest import NOON
from tests.factories import make_member
from tests.identity.test_session import guarded, token_of
from tests.mall.catalog.shelf import photo
from tests.mall.orders.shop import make_goods
from tests.mall.returns.parcels import DAY, STAFF, counted, delivered, points_of, take, wish

__all__ = ["guarded"]


@pytest.fixture
def kettle(app):
    return make_goods("Kettle", points=0, cash=100_00)


@pytest.fixture
def order(alice, kettle):
    """¥100 of goods, ¥30 of them paid with points."""
    return delivered(alice.id, kettle, offset=3_000)


@pytest.fixture
def browser(client, alice):
    return sign_in(client, alice)


def number_of(order_id):
    return db.session.scalars(sa.select(Order.number).where(Order.id == order_id)).one()


def line_of(order_id):
    return db.session.scalars(sa.select(OrderLine.id).where(OrderLine.order_id == order_id)).first()


def form_of(order_id, **changes):
    filled = {"kind": "return", "reason": "unwanted", f"pieces-{line_of(order_id)}": "1", "key": "a_key-of_the-form-1"}
    return {name: value for name, value in (filled | changes).items() if value is not None}


def cases():
    db.session.rollback()
    return list(db.session.scalars(sa.select(ReturnCase).order_by(ReturnCase.id)))


def text_of(answer):
    return html.unescape(re.sub(r"<[^>]+>", " ", answer.text))


def send(browser, order_id, **changes):
    return browser.post(f"/orders/{number_of(order_id)}/returns", data=form_of(order_id, **changes))


def test_the_order_says_until_when_it_can_be_sent_back(browser, order):
    page = text_of(browser.get(f"/orders/{number_of(order)}/returns"))
    assert "You can send it back until Jun 22, 2026" in page
    assert "The warranty lasts until June 15, 2027" in page
    for way in ("Return", "Exchange", "Warranty claim"):
        assert way in page


def test_figures_first_and_nothing_happens_before_they_are_confirmed(browser, alice, order):
    preview = send(browser, order)
    assert preview.status_code == 200
    for words in ("Is this right?", "¥70.00", "3,000 points", "Earned points taken back", "−70"):
        assert words in text_of(preview)
    assert cases() == []
    answer = send(browser, order, step="confirm")
    assert answer.status_code == 303
    [case] = cases()
    assert answer.location == f"/returns/{case.number}"
    assert case.state == "requested"
    assert points_of(alice.id) == (7_000, 70)
    page = text_of(browser.get(answer.location))
    assert "We are looking at it" in page
    assert "¥70.00" in page


def test_a_double_click_is_one_case(browser, order):
    first, second = (send(browser, order, step="confirm") for _ in range(2))
    assert first.location == second.location
    assert len(cases()) == 1


def test_who_wants_to_change_something_finds_the_form_as_it_was(browser, order):
    page = send(browser, order, step="change", note="Too <loud>", reason="wrong")
    assert page.status_code == 200
    assert "Too &lt;loud&gt;" in page.text
    assert re.search(r'checked[^>]*value="wrong"|value="wrong"[^>]*checked', page.text)
    assert cases() == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"kind": "theft"}, 422),
        ({"kind": None}, 422),
        ({"reason": "weather"}, 422),
        ({"reason": None}, 422),
        ({"pieces": "0"}, 422),
        ({"pieces": "-1"}, 422),
        ({"pieces": "1.5"}, 422),
        ({"pieces": "2"}, 422),
        ({"pieces": str(10**9)}, 422),
        ({"pieces": "9" * 400}, 422),
        ({"pieces": "一"}, 422),
        ({"pieces": None}, 422),
        ({"note": "x" * 1001}, 422),
        ({"pieces-999999": "1"}, 422),
        ({"pieces-" + "9" * 18: "1"}, 422),
    ],
)
def test_an_unusable_form_answers_422_and_changes_nothing(browser, order, changes, status):
    changes = {f"pieces-{line_of(order)}" if name == "pieces" else name: value for name, value in changes.items()}
    for step in ("", "confirm"):
        assert send(browser, order, step=step, **changes).status_code == status
    assert cases() == []


def test_a_damaged_key_and_odd_letters_do_no_harm(browser, order):
    assert send(browser, order, step="confirm", key="x").status_code == 422
    assert cases() == []
    assert send(browser, order, step="confirm", note="\x00").status_code == 400  # As everywhere in the house.
    note = "\u202e🫖\x07 ok\r\nyes"
    assert send(browser, order, step="confirm", note=note, **{f"pieces-{line_of(order)}": "１"}).status_code == 303
    assert cases()[0].note == "🫖 ok\nyes"


def test_a_line_of_somebody_elses_order_cannot_be_sent_back(browser, order, kettle):
    theirs = delivered(make_member(name="Bob", points=0), kettle)
    answer = send(browser, order, step="confirm", **{f"pieces-{line_of(theirs)}": "1"})
    assert answer.status_code == 422
    assert "There are not that many pieces left" in text_of(answer)


@pytest.mark.parametrize("path", ["/orders/{order}/returns", "/orders/{order}/returns/new", "/returns/{case}"])
def test_what_is_anothers_is_not_there(app, order, alice, path):
    case = db.session.get_one(ReturnCase, wish(order, alice.id, 1)).number
    mallory = sign_in(app.test_client(), make_member_row("Mallory"))
    assert mallory.get(path.format(order=number_of(order), case=case)).status_code == 404
    assert mallory.post(f"/orders/{number_of(order)}/returns", data=form_of(order)).status_code == 404
    assert mallory.post(f"/returns/{case}/withdrawal").status_code == 404
    assert cases()[0].state == "requested"
    for odd in ("%00", "x" * 300, "R26%E2%80%AE"):
        assert mallory.get(f"/returns/{odd}").status_code in (400, 404)
        assert mallory.get(f"/orders/{odd}/returns").status_code in (400, 404)


def make_member_row(name):
    return db.session.get_one(Member, make_member(name=name))


def test_when_the_time_is_over_only_a_claim_is_left(browser, order):
    with clock.freeze(NOON + 8 * DAY):
        page = text_of(browser.get(f"/orders/{number_of(order)}/returns"))
        assert "The time for sending it back ended on Jun 22, 2026" in page
        assert "Exchange" not in page
        answer = send(browser, order, step="confirm")
    assert answer.status_code == 409
    assert "The time for this ended on June 22, 2026" in text_of(answer)
    assert cases() == []


def test_nothing_is_left_after_warranty_nor_after_everything_came_back(browser, order, alice):
    take(wish(order, alice.id, 1))
    page = text_of(browser.get(f"/orders/{number_of(order)}/returns"))
    assert "Nothing of this order can be sent back any more." in page
    assert browser.get(f"/orders/{number_of(order)}/returns/new").status_code == 302


def test_a_member_keeps_it_after_all(browser, order):
    send(browser, order, step="confirm")
    [case] = cases()
    assert browser.post(f"/returns/{case.number}/withdrawal").status_code == 303
    assert "You are keeping it" in browser.get(f"/returns/{case.number}").text
    assert browser.post(f"/returns/{case.number}/withdrawal").status_code == 303
    assert "decided already" in browser.get(f"/returns/{case.number}").text
    assert complete_orders(now=NOON + timedelta(days=30)) == 1


def test_the_member_reads_the_answer_but_not_who_gave_it(browser, order, alice):
    case = wish(order, alice.id, 1)
    with transaction():
        approve(case_id=case, answer="Harbour Road 8, please.", by=STAFF, now=NOON)
    page = browser.get(f"/returns/{cases()[0].number}").text
    assert "Harbour Road 8" in page
    with transaction():
        reject(case_id=case, answer="It was used.", by=STAFF, now=NOON)
    page = browser.get(f"/returns/{cases()[0].number}").text
    assert "It was used." in page
    assert ">Mei<" not in page
    assert "· Mei" not in page


def test_a_settled_return_shows_what_went_back(browser, order, alice):
    take(wish(order, alice.id, 1))
    page = text_of(browser.get(f"/returns/{cases()[0].number}"))
    for words in ("What went back to you", "¥70.00", "3,000 points", "are on their way to you"):
        assert words in page


def test_the_list_tells_what_to_do_when_it_is_empty(browser, order):
    assert "Nothing cancelled or sent back" in browser.get("/returns").text
    send(browser, order, step="confirm")
    page = browser.get("/returns").text
    assert cases()[0].number in page
    assert "Nothing cancelled or sent back" not in page


def test_a_replacement_knows_what_it_is_and_is_not_paid_back(browser, order, alice):
    case = take(wish(order, alice.id, 1, kind="exchange", reason="wrong"))
    replacement = db.session.get_one(Order, case.replacement_id).number
    page = text_of(browser.get(f"/orders/{replacement}/returns"))
    assert f"See case {case.number}" in page
    assert "Follow the new order" in browser.get(f"/returns/{case.number}").text


# --- pictures ------------------------------------------------------------------------------------


def files(folder=""):
    where = pictures.folder() / folder
    return sorted(each.name for each in where.glob("*.webp"))


def test_pictures_wait_until_the_form_is_confirmed_and_are_seen_by_nobody_else(app, browser, order, merchant):
    preview = send(browser, order, pictures=(photo(900, 600), "cup.jpg"))
    assert "Pictures" in preview.text
    assert files() == []
    assert len(files("waiting")) == 2
    [token] = re.findall(r'name="kept" value="([^"]+)"', preview.text)
    send(browser, order, kept=token, step="confirm")
    [case] = cases()
    assert (len(case.pictures), len(files()), files("waiting")) == (1, 2, [])
    path = f"/returns/{case.number}/pictures/0/small"
    answer = browser.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "image/webp")
    assert answer.headers["Cache-Control"].startswith("private")
    assert browser.get(f"/returns/{case.number}/pictures/1/small").status_code == 404
    assert browser.get(f"/returns/{case.number}/pictures/0/huge").status_code == 404
    assert sign_in(app.test_client(), make_member_row("Mallory")).get(path).status_code == 404
    assert app.test_client().get(path).status_code == 302
    assert sign_in(app.test_client(), merchant).get(f"/backoffice{path}").status_code == 200


def test_a_double_click_keeps_the_pictures_once(browser, order):
    preview = send(browser, order, pictures=[(photo(90, 60), "cup.jpg"), (photo(60, 90), "lid.jpg")])
    tokens = re.findall(r'name="kept" value="([^"]+)"', preview.text)
    first, second = (send(browser, order, kept=tokens, step="confirm") for _ in range(2))
    assert first.location == second.location
    [case] = cases()
    assert (len(case.pictures), len(files()), files("waiting")) == (2, 4, [])
    for place in range(2):
        assert browser.get(f"/returns/{case.number}/pictures/{place}/large").status_code == 200


def test_whoever_sends_picture_after_picture_has_to_wait_and_others_do_not(guarded, order, alice, merchant):
    member, desk = sign_in(guarded.test_client(), alice), sign_in(guarded.test_client(), merchant)
    path, token = f"/orders/{number_of(order)}/returns", token_of(member, f"/orders/{number_of(order)}/returns/new")

    def upload(who, path, **more):
        return who.post(path, data=form_of(order, **more)).status_code

    sent = [upload(member, path, pictures=(BytesIO(b"x"), "x.png"), csrf_token=token) for _ in range(31)]
    assert sent == [422] * 30 + [429]
    assert upload(member, path, csrf_token=token) == 200  # Without a picture it costs nothing.
    token = token_of(desk, f"/backoffice{path}/new")
    assert upload(desk, f"/backoffice{path}", pictures=(BytesIO(b"x"), "x.png"), csrf_token=token) == 422
    assert files("waiting") == []


def test_a_picture_of_another_form_cannot_be_named(app, browser, order, kettle):
    mallory = make_member_row("Mallory")
    hers = delivered(mallory.id, kettle)
    preview = send(browser, order, pictures=(photo(90, 60), "cup.jpg"))
    [token] = re.findall(r'name="kept" value="([^"]+)"', preview.text)
    send(sign_in(app.test_client(), mallory), hers, kept=token, step="confirm", key="another-form-key-1")
    assert cases()[0].pictures == []
    for odd in ("../../etc/passwd", token[:-2] + "xx", ""):
        send(browser, order, kept=odd, step="confirm")
    assert cases()[1].pictures == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "not a picture"),
    ],
)
def test_a_script_is_refused_with_a_sentence(browser, order, body, words):
    answer = send(browser, order, pictures=(BytesIO(body), "<b>.png"))
    assert answer.status_code == 422
    assert words in answer.text
    assert (files(), files("waiting"), cases()) == ([], [], [])


def test_a_decompression_bomb_and_a_fourth_picture_are_refused(browser, order):
    answer = send(browser, order, pictures=(photo(8_000, 6_000, "PNG"), "bomb.png"))
    assert answer.status_code == 422
    assert "40 million pixels" in answer.text
    four = [(photo(20, 20), f"{n}.jpg") for n in range(4)]
    assert send(browser, order, pictures=four).status_code == 422
    assert cases() == []


def test_what_nobody_confirmed_is_cleared_away_after_a_day(browser, order):
    send(browser, order, pictures=(photo(90, 60), "cup.jpg"))
    world = datetime.now(UTC)  # Files know the time of the world, not of the test.
    assert pictures.clear(now=world) == 0
    assert pictures.clear(now=world + 2 * DAY) == 2
    assert files("waiting") == []


def test_the_pages_take_few_queries(app, browser, order, alice):
    wish(order, alice.id, 1)
    for path in [f"/orders/{number_of(order)}/returns", f"/returns/{cases()[0].number}", "/returns"]:
        with counted() as seen:
            assert browser.get(path).status_code == 200
        assert len(seen) <= 13, "\n".join(seen)  # One of them tells what was replaced.
