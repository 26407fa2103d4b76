"""The open books: pages and documents for everybody, receipts for their owner."""

from __future__ import annotations

import json
import re
import sys

import pytest
import sqlalchemy as sa

from app.foundation.database import db, transaction
from app.loyalty.ledger.checkpoints import consistency, published_one, seal
from app.loyalty.ledger.models import Transfer
from app.loyalty.ledger.receipts import receipt
from tests.cast import sign_in
from tests.conftest import NOON
from tests.factories import give_points
from tests.loyalty.ledger.conftest import DAY


def live(member, days):
    """A line and a checkpoint a day."""
    for day in range(days):
        with transaction():
            give_points(member.id, 10, key=f"day:{day}", at=NOON + day * DAY)
        seal(now=NOON + day * DAY)


def id_of(key):
    return db.session.scalar(sa.select(Transfer.id).where(Transfer.key == key))


def test_before_the_first_seal_the_page_says_when_it_comes(client):
    text = client.get("/ledger").text
    assert "The first seal is set tonight" in text
    assert client.get("/ledger/checkpoints.json").json == {"checkpoints": [], "next": None}


def test_everybody_sees_the_checkpoints_newest_first_and_pages_through_them(client, carol):
    live(carol, 20)
    text, seen = client.get("/ledger").text, []
    while True:
        seen += [int(number) for number in re.findall(r'href="/ledger/checkpoints/(\d+)"', text)]
        older = re.search(r'rel="next" href="(/ledger\?before=\d+)"', text)
        if not older:
            break
        text = client.get(older[1], headers={"HX-Request": "true", "HX-Target": "more"}).text
        assert "<html" not in text
    assert seen == list(range(20, 0, -1))


def test_a_checkpoint_has_a_page_and_a_document(client, carol):
    live(carol, 3)
    text = client.get("/ledger/checkpoints/2").text
    ours = published_one(2)
    for value in (ours.hash, ours.root, ours.previous, ours.log_root):
        assert value.hex() in text
    assert "/ledger/checkpoints/2/consistency/3.json" in text
    answer = client.get("/ledger/checkpoints/2.json")
    assert answer.json == ours.document()
    assert "public" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers
    assert client.get("/ledger/checkpoints/1/consistency/3.json").json == consistency(1, 3)


def test_the_documents_go_on_from_each_other(client, carol, monkeypatch):
    monkeypatch.setattr(sys.modules["app.loyalty.ledger.views.proof"], "JSON_PAGE", 2)
    live(carol, 3)
    first = client.get("/ledger/checkpoints.json").json
    assert [json.loads(each["content"])["number"] for each in first["checkpoints"]] == [3, 2]
    rest = client.get("/" + first["next"].split("/", 3)[3]).json
    assert [json.loads(each["content"])["number"] for each in rest["checkpoints"]] == [1]
    assert rest["next"] is None


def test_what_does_not_exist_is_not_found(client, carol):
    live(carol, 1)
    for path in (
        "/ledger/checkpoints/0",
        "/ledger/checkpoints/2",
        "/ledger/checkpoints/2.json",
        f"/ledger/checkpoints/{2**31 - 1}",
        f"/ledger/checkpoints/{2**31}",
        "/ledger/checkpoints/-1",
        "/ledger/checkpoints/x",
        "/ledger/checkpoints/0/consistency/1.json",
        "/ledger/checkpoints/1/consistency/2.json",
        "/ledger?before=x",
        "/ledger?before=-1",
        "/ledger?before=" + "9" * 30,
        "/ledger/checkpoints.json?before=１",
    ):
        assert client.get(path).status_code == 404, path
    assert client.get("/ledger?before=0").status_code == 200


def test_a_member_downloads_a_receipt(client, carol):
    live(carol, 2)
    sign_in(client, carol)
    line = id_of("day:0")
    assert f'href="/points/{line}/receipt.json"' in client.get(f"/points/{line}").text
    answer = client.get(f"/points/{line}/receipt.json")
    assert answer.json == receipt(carol.id, line)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="receipt-{line}.json"'
    assert "no-store" in answer.headers["Cache-Control"]


def test_what_is_not_sealed_yet_says_when_to_come_back(client, carol):
    with transaction():
        give_points(carol.id, 10, key="today")
    sign_in(client, carol)
    answer = client.get(f"/points/{id_of('today')}/receipt.json")
    assert answer.status_code == 409
    assert "Come back tomorrow" in answer.text


def test_somebody_elses_receipt_looks_like_none(client, carol, mallory, agent):
    live(carol, 1)
    path = f"/points/{id_of('day:0')}/receipt.json"
    assert client.get(path).status_code == 302
    sign_in(client, mallory)
    for wrong in (path, "/points/0/receipt.json", f"/points/{2**63 - 1}/receipt.json", f"/points/{2**63}/receipt.json"):
        assert client.get(wrong).status_code == 404
    sign_in(client, agent)
    assert client.get(path).status_code == 403


def test_the_page_for_receipts_brings_its_script_its_words_and_a_program(client):
    text = client.get("/ledger/verification").text
    assert "js/receipt.js" in text
    assert "JavaScript is switched off" in text
    program = re.search(r'href="(/static/verify_receipt\.py[^"]*)" download', text)[1]
    assert client.get(program).text.startswith("#!/usr/bin/env python3")
    assert "/ledger/checkpoints/FIRST/consistency/SECOND.json" in text


@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
def test_they_speak_the_visitors_language(client, carol, language):
    live(carol, 2)
    for path in ("/ledger", "/ledger/checkpoints/1", "/ledger/verification"):
        assert client.get(path, headers={"Accept-Language": language}).status_code == 200


def test_every_page_of_the_portal_leads_to_the_open_books(client):
    assert 'href="/ledger"' in client.get("/programme").text


def test_the_number_of_queries_does_not_grow_with_the_log(client, carol):
    def queries(path):
        seen = []
        note = lambda *_: seen.append(1)  # noqa: E731
        sa.event.listen(db.engine, "before_cursor_execute", note)
        client.get(path)
        sa.event.remove(db.engine, "before_cursor_execute", note)
        return len(seen)

    live(carol, 2)
    paths = ("/ledger", "/ledger/checkpoints/1", "/ledger/checkpoints.json")
    few = [queries(path) for path in paths]
    for day in range(2, 12):
        with transaction():
            give_points(carol.id, 1, key=f"day:{day}", at=NOON + day * DAY)
        seal(now=NOON + day * DAY)
    assert [queries(path) for path in paths] == few
