"""Freezing a member's points at the desk: with reason, note and audit, and lifted again."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.foundation import terms
from app.foundation.actors import SYSTEM, Actor
from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput
from app.foundation.points import Points
from app.loyalty.ledger.queries import freeze_of, standing
from app.support.desk.freezing import freeze_points, lift_freeze
from app.support.desk.terms import DeskTerms
from tests.cast import sign_in
from tests.conftest import NOON
from tests.mall.orders.shop import (
    ADDRESS,
    attempt,
    fresh_key,
    make_goods,
    order_some,
    orders_in_all,
    report,
    state_of,
    stock_of,
    wallet_of,
)

ARTHUR, OLIVIA = Actor("staff", 1, "Arthur Gao"), Actor("staff", 2, "Olivia Tan")
NOTE = "Her phone was stolen on the tram."


def url(member, more=""):
    return f"/backoffice/members/{member.code}{more}"


def freeze(member, by=ARTHUR, now=NOON, **changes):
    with transaction():
        return freeze_points(member=member, by=by, now=now, **({"reason": "lost", "note": NOTE} | changes))


def lift(member, by=OLIVIA, now=NOON, note="She has a new phone."):
    with transaction():
        return lift_freeze(member=member, note=note, by=by, now=now)


def entries():
    ours = sa.select(AuditEntry).where(AuditEntry.action.in_(["wallet.freeze", "wallet.unfreeze"]))
    return list(db.session.scalars(ours.order_by(AuditEntry.id)))


def is_frozen(member):
    db.session.rollback()
    return standing(member.id, now=NOON).frozen


# --- the actions ----------------------------------------------------------------------------


def test_the_audit_log_has_both_with_before_and_after(carol):
    assert freeze(carol)
    assert lift(carol)
    laid, lifted = entries()
    assert (laid.actor_label, laid.subject_id) == ("Arthur Gao", carol.code)
    assert (laid.before, laid.after) == ({"frozen": False}, {"frozen": True, "reason": "lost", "note": NOTE})
    assert lifted.actor_label == "Olivia Tan"
    assert lifted.before == {"frozen": True, "reason": "lost"}
    assert lifted.after == {"frozen": False, "note": "She has a new phone."}
    assert not is_frozen(carol)


def test_a_colleague_who_comes_second_changes_nothing(carol):
    freeze(carol)
    assert not freeze(carol, by=OLIVIA, reason="dispute")
    assert freeze_of(carol.id).reason == "lost"
    assert lift(carol)
    assert not lift(carol)
    assert len(entries()) == 2


@pytest.mark.parametrize("nonsense", [{"reason": "because"}, {"reason": ""}, {"note": ""}, {"note": " \n"}])
def test_it_needs_a_known_reason_and_a_note(carol, nonsense):
    with pytest.raises(InvalidInput):
        freeze(carol, **nonsense)
    assert not is_frozen(carol)
    assert entries() == []


def test_lifting_needs_a_note(carol):
    freeze(carol)
    with pytest.raises(InvalidInput):
        lift(carol, note="  ")
    assert is_frozen(carol)


# --- the pages ------------------------------------------------------------------------------


def test_the_page_tells_first_what_it_means_and_nothing_is_frozen_yet(desk, carol):
    text = desk.get(url(carol, "/freeze")).text
    assert "Nothing can be redeemed from this account" in text
    assert not is_frozen(carol)


def test_freezing_and_lifting_come_back_to_the_member(desk, carol):
    answer = desk.post(url(carol, "/freeze"), data={"reason": "lost", "note": NOTE})
    assert (answer.status_code, answer.location) == (303, url(carol))
    text = desk.get(answer.location).text
    for part in ("These points are frozen", "Phone or password in strange hands", "Arthur Gao", NOTE, "Jun 15, 2026"):
        assert part in text
    assert "Freeze points" not in text
    assert desk.get(url(carol, "/freeze")).location == url(carol)
    assert NOTE in desk.get(url(carol, "/freeze/removal")).text
    answer = desk.post(url(carol, "/freeze/removal"), data={"note": "She has a new phone."})
    assert (answer.status_code, answer.location) == (303, url(carol))
    text = desk.get(answer.location).text
    assert "These points are frozen" not in text
    assert "She has a new phone." in text  # in the timeline
    assert desk.get(url(carol, "/freeze/removal")).location == url(carol)


def test_the_page_tells_of_the_present_freeze_and_not_of_an_earlier_one(desk, carol):
    freeze(carol)
    lift(carol)
    freeze(carol, by=OLIVIA, now=NOON + timedelta(hours=1), reason="dispute", note="Two cards, one name.")
    text = desk.get(url(carol, "/freeze/removal")).text
    assert "Olivia Tan" in text
    assert "Two cards, one name." in text
    assert NOTE not in text


def test_a_double_click_freezes_once(desk, carol):
    answers = [desk.post(url(carol, "/freeze"), data={"reason": "lost", "note": NOTE}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert len(entries()) == 1


ABSURD = [
    {"reason": "because"},
    {"reason": ""},
    {"reason": None},
    {"note": ""},
    {"note": "\u202e"},
    {"note": "x" * 501},
]


def test_absurd_forms_are_refused_with_what_was_typed_kept(desk, carol):
    for nonsense in ABSURD:
        values = {"reason": "lost", "note": NOTE} | nonsense
        answer = desk.post(
            url(carol, "/freeze"), data={name: text for name, text in values.items() if text is not None}
        )
        assert answer.status_code == 422, nonsense
        assert "note" in nonsense or NOTE in answer.text
    freeze(carol)
    assert desk.post(url(carol, "/freeze/removal"), data={"note": ""}).status_code == 422
    assert is_frozen(carol)


def test_a_reason_that_was_dropped_since_is_told_by_its_code(desk, carol):
    freeze(carol)
    values = {"adjustment_limit": 10, "freeze_reasons": {"other": {"en": "Other"}}}
    with transaction():
        terms.change(DeskTerms, values, by=SYSTEM, now=NOON)
    assert "lost" in desk.get(url(carol)).text


def test_a_reason_needs_a_text_and_a_code_that_fits(app):
    for reasons in ({}, {"x": {}}, {"x" * 41: {"en": "Too long"}}):
        with pytest.raises(InvalidInput):
            DeskTerms(freeze_reasons=reasons)


def test_only_agents_and_owners_freeze_and_auditors_read(client, carol, auditor, merchant, owner):
    for person, status in ((auditor, 403), (merchant, 403), (carol, 403), (owner, 200)):
        sign_in(client, person)
        assert client.get(url(carol, "/freeze")).status_code == status
    for person in (auditor, merchant, carol):
        sign_in(client, person)
        for form in ("/freeze", "/freeze/removal"):
            assert client.post(url(carol, form), data={"reason": "lost", "note": NOTE}).status_code == 403
    assert not is_frozen(carol)
    freeze(carol)
    sign_in(client, auditor)
    text = client.get(url(carol)).text
    assert NOTE in text
    assert "Lift the freeze" not in text


# --- what the member sees -------------------------------------------------------------------


def test_the_member_reads_a_calm_sentence_and_neither_reason_nor_note(client, carol):
    freeze(carol)
    text = sign_in(client, carol).get("/points").text
    assert "Your points can grow, but not be spent" in text
    assert "stolen" not in text
    assert "strange hands" not in text


def order_form(goods):
    wanted = {"key": fresh_key(), "lines": f"{goods.variant_id}-{goods.price_id}-1", "address": "new"}
    return wanted | {"seen_points": int(goods.figures.points), "seen_cash": goods.figures.cash.amount, **ADDRESS}


def test_the_confirmation_of_an_order_says_so_and_offers_no_button(client, carol):
    goods = make_goods(points=40)
    asked = {"variant": goods.variant_id, "price": goods.price_id}
    sign_in(client, carol)
    assert "Redeem now" in client.get("/checkout", query_string=asked).text
    freeze(carol)
    text = client.get("/checkout", query_string=asked).text
    assert "This account is frozen" in text
    assert "Redeem now" not in text


def test_an_order_sent_by_a_page_from_before_the_freeze_is_refused_and_loses_nothing(client, carol):
    goods = make_goods(points=40)
    freeze(carol)
    answer = sign_in(client, carol).post("/checkout", data=order_form(goods))
    assert answer.status_code == 409
    assert "This account is frozen" in answer.text
    assert ADDRESS["line"] in answer.text  # What was typed is still there.
    assert (wallet_of(carol.id), stock_of(goods), orders_in_all()) == ((100, 0), 10, 0)


def test_an_order_from_before_the_freeze_is_paid_with_the_points_it_set_aside(carol):
    order = order_some(carol.id, make_goods(points=40, cash=500))
    payment = attempt(order)
    freeze(carol)
    report(order, payment)
    assert (state_of(order), wallet_of(carol.id)) == ("paid", (60, 0))


def test_a_correction_reaches_a_frozen_account(desk, carol):
    freeze(carol)
    data = {"direction": "take", "amount": "40", "reason": "goodwill", "note": "x", "key": "a-form-key-of-the-desk"}
    desk.post(url(carol, "/adjustments/new"), data=data | {"confirmed": "yes"})
    assert standing(carol.id, now=NOON).available == Points(60)
