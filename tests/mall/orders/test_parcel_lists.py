"""Many parcels at once: looked at first, refused by the row, and sent twice it does nothing more."""

from __future__ import annotations

import io
import re

import pytest
import sqlalchemy as sa

from app.foundation.database import db, transaction
from app.identity.units.queries import unit_by_code
from app.mall.orders import actions, parcel_lists
from app.mall.orders.models import Shipment
from tests.cast import employ, sign_in
from tests.conftest import NOON
from tests.mall.orders.shop import make_goods, make_unit, order_some, state_of
from tests.mall.orders.test_worklist import MEI, number_of, pack, sku_of

URL = "/backoffice/orders/parcels"
HEADER = "order,carrier,tracking_number,sku,pieces\n"


@pytest.fixture
def desk(client, app):
    make_unit("shop")
    return sign_in(client, employ("merchant", "Mei Zhao", (unit_by_code("shop"),)))


@pytest.fixture
def tea(app):
    return make_goods("Tea", points=10, stock=50)


@pytest.fixture
def packed(alice, tea):
    """Two orders of three teas each, packed."""
    orders = [order_some(alice, tea, quantity=3) for _ in "12"]
    pack(*orders)
    return orders


def words_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def send(desk, rows, do="send"):
    rows = "\n".join(row + "," * (HEADER.count(",") - row.count(",")) for row in rows.splitlines())
    return desk.post(URL, data={"rows": HEADER + rows, "do": do})


def parcels():
    db.session.rollback()
    return list(db.session.scalars(sa.select(Shipment.tracking_number).order_by(Shipment.id)))


def test_good_rows_are_sent_and_the_others_named_with_their_reason(desk, alice, packed, tea):
    first, second = packed
    to_pack, foreign = order_some(alice, tea), order_some(alice, make_goods(points=1, unit="cinema"))
    pack(foreign)
    rows = "\n".join(
        [
            f"{number_of(first).lower()},顺丰,sf 1234567890",
            f"{number_of(second)},dhl,1",
            f"{number_of(to_pack)},dhl,1234567890",
            f"{number_of(foreign)},dhl,1234567891",
            "J260615AAAAAA,dhl,1234567892",
            f"{number_of(second)},,1234567893",
            f"{number_of(second)},dhl,1234567894,NO-SUCH,1",
            f"{number_of(second)},dhl,1234567895,{sku_of(second)},4",
            f"{number_of(second)},dhl,1234567896,{sku_of(second)},0",
            f"{number_of(second)},dhl,1234567897,,2",
        ]
    )
    looked = words_of(send(desk, rows, do="check"))
    assert "9 rows are left out" in looked
    assert "Send 1 parcel" in looked
    assert parcels() == []
    done = words_of(send(desk, rows))
    assert "1 parcel is on its way" in done
    for reason in (
        "3 1 is no tracking number of DHL",
        "4 This order is “Paid”",
        f"5 There is no order “{number_of(foreign)}”",
        "6 There is no order “J260615AAAAAA”",
        "7 Please name the carrier",
        "8 Nothing with the SKU “NO-SUCH” was ordered",
        "3 pieces are left to send",
        "10 “0” is no number of pieces",
        "11 So many pieces of what?",
    ):
        assert reason in done
    assert parcels() == ["SF1234567890"]
    assert [state_of(each) for each in (first, second, to_pack, foreign)] == ["shipped", "packed", "paid", "packed"]


def test_sent_twice_it_does_nothing_more(desk, packed):
    first, second = packed
    rows = f"{number_of(first)},sf,SF1234567890,{sku_of(first)},2\n{number_of(second)},sf,SF1234567891\n"
    send(desk, rows)
    again = words_of(send(desk, rows))
    assert "No parcel was sent" in again
    assert "2 parcels of the list were sent before" in again
    assert parcels() == ["SF1234567890", "SF1234567891"]
    assert [state_of(each) for each in packed] == ["part_shipped", "shipped"]
    other = f"{number_of(first)},sf,SF1234567890,{sku_of(first)},1\n{number_of(second)},dhl,SF1234567891\n"
    assert words_of(send(desk, other)).count("already. Nothing was changed") == 2


def test_an_order_may_be_sent_by_several_rows_and_never_more_than_was_ordered(desk, packed):
    first, _second = packed
    number, sku = number_of(first), sku_of(first)
    rows = f"{number},sf,SF1234567890,{sku},2\n{number},sf,SF1234567891,{sku},2\n{number},sf,SF1234567892\n"
    done = words_of(send(desk, rows))
    assert f"Of “{sku}” 1 piece is left to send" in done
    assert parcels() == ["SF1234567890", "SF1234567892"]
    assert state_of(first) == "shipped"


def test_a_parcel_is_sent_as_a_whole_or_not_at_all(desk, packed):
    number, sku = number_of(packed[0]), sku_of(packed[0])
    done = words_of(send(desk, f"{number},sf,SF1234567890,{sku},1\n{number},sf,SF1234567890,NO-SUCH,1\n"))
    assert "Left out, because line 2 of the same parcel" in done
    assert parcels() == []


def test_a_colleague_who_was_quicker_wins(app, packed, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(f"{HEADER}{number_of(packed[0])},sf,SF1234567890,,\n")
    made = parcel_lists.plan(path, units=None)
    with transaction():
        actions.ship(order_id=packed[0], carrier="X", tracking_number="1", by=MEI, now=NOON)
    assert parcel_lists.send(made, by=MEI, now=NOON) == []
    assert [error.line for error in made.errors] == [2]
    assert parcels() == ["1"]


def test_a_file_of_an_old_spreadsheet_is_read(desk, packed):
    text = f"订单;order;carrier;tracking_number\n一;{number_of(packed[0])};顺丰;'SF1234567890\n"
    file = (io.BytesIO(text.encode("gb18030")), "list.csv")
    answer = desk.post(URL, data={"file": file, "do": "check"}, content_type="multipart/form-data")
    assert "Left out" not in answer.text
    assert "顺丰" in answer.text
    assert parcels() == []


@pytest.mark.parametrize(
    "content",
    [b"", b"   ", b"a,b,c\n", b"PK\x03\x04zip", b"\0\0", b"x" * 600_000, HEADER.encode() + b"x,y,z\n" * 2_001],
)
def test_what_is_no_such_list_is_refused_with_a_sentence(desk, content):
    data = {"file": (io.BytesIO(content), "list.csv"), "do": "send"}
    answer = desk.post(URL, data=data, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert parcels() == []
