"""Who may knock at ``/webhooks/stripe``. No row is written for anybody else, so one database is enough to tell it."""

from __future__ import annotations

import json

import pytest

from tests.mall.orders.shop import state_of
from tests.mall.payments.stripe_server import signed
from tests.mall.payments.stripe_world import go_and_pay, tell
from tests.mall.payments.stripe_world import reports as stored

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")


@pytest.fixture
def paid(app, server, order):
    """The member has paid; Stripe's report is on its way."""
    go_and_pay(app, order)
    return server.pay(server.only_session())


def knock(app, body, headers):
    return app.test_client().post("/webhooks/stripe", data=body, headers=headers)


def refused(app, answer, caplog, *, status=400):
    assert answer.status_code == status
    assert "webhook refused" in caplog.text
    assert stored() == []


def test_a_wrong_signature_is_refused_and_logged(app, server, order, paid, caplog):
    refused(app, tell(app, paid, secret="whsec_of_somebody_else"), caplog)
    assert state_of(order) == "placed"


def test_an_old_report_is_refused(app, server, order, paid, caplog):
    refused(app, tell(app, paid, age=301), caplog)
    assert state_of(order) == "placed"
    assert tell(app, paid, age=200).status_code == 200


def test_a_changed_body_is_refused(app, paid, caplog):
    body, headers = signed(paid)
    refused(app, knock(app, body.replace(b"5000", b"1000"), headers), caplog)


@pytest.mark.parametrize("signature", [None, "", "t=1", "v1=abc", "t=x,v1=y", "t=1,v1=", "," * 500, "t=1=2=3"])
def test_a_made_up_signature_is_refused(app, server, caplog, signature):
    headers = {"Stripe-Signature": signature} if signature is not None else {}
    refused(app, knock(app, b"{}", headers), caplog)


@pytest.mark.parametrize(
    "body",
    ["", "no json", "[]", "null", "{}", '{"id": "evt_1"}', '{"id": "evt_1", "type": "x", "data": null}'],
)
def test_a_signed_body_that_is_no_report_is_refused(app, server, caplog, body):
    refused(app, tell(app, body), caplog)


@pytest.mark.parametrize("object_", ['"x"', "[]", "1"])
def test_a_report_about_nothing_is_refused(app, server, caplog, object_):
    refused(app, tell(app, f'{{"id": "evt_1", "type": "x", "data": {{"object": {object_}}}}}'), caplog)


def test_a_sign_that_no_database_stores_is_refused(app, server, caplog):
    refused(app, tell(app, '{"id": "evt_1", "type": "\\u0000", "data": {"object": {}}}'), caplog)


def test_a_body_nested_without_end_is_refused(app, server, caplog):
    refused(app, tell(app, "[" * 100_000), caplog)


def test_letters_that_are_none_are_refused(app, server, caplog):
    _body, headers = signed("{}")
    refused(app, knock(app, b"\xff\xfe\x00", headers), caplog)


def test_a_huge_body_is_refused_unread(app, server, paid, caplog):
    body, headers = signed(json.dumps({**paid, "padding": "x" * 300_000}))
    refused(app, knock(app, body, headers), caplog, status=413)


def test_the_door_is_for_posts_only(app, server):
    assert app.test_client().get("/webhooks/stripe").status_code == 405


def test_no_session_and_no_form_token_are_needed(app, server, order, paid):
    assert app.config["WTF_CSRF_ENABLED"]
    answer = tell(app, paid)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
