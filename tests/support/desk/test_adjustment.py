"""Putting a balance right: once, never below zero, with reason, note and audit."""

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
from app.identity.members.models import Member
from app.loyalty.ledger import actions as ledger
from app.loyalty.ledger.errors import InsufficientPoints, KeyReused
from app.loyalty.ledger.models import Transfer
from app.loyalty.ledger.queries import standing
from app.support.desk.actions import AboveLimit, BalanceMoved, adjust_balance
from app.support.desk.terms import DeskTerms
from tests.cast import sign_in
from tests.conftest import NOON
from tests.factories import give_points, make_member
from tests.racing import at_once

ARTHUR = Actor("staff", 1, "Arthur Gao")
KEY = "a-form-key-of-the-desk"


def available(member):
    return standing(member.id, now=NOON).available


def corrections():
    return list(db.session.scalars(sa.select(Transfer).where(Transfer.kind == "adjustment")))


def entries():
    return list(db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "balance.adjust")))


def adjust(member, amount, **changes):
    arguments = {"reason": "goodwill", "note": "Waited two hours.", "form_key": KEY, "by": ARTHUR, "now": NOON}
    with transaction():
        return adjust_balance(member=member, amount=Points(amount), **(arguments | changes))


def form(**changes):
    values = {
        "direction": "give",
        "amount": "40",
        "reason": "goodwill",
        "note": "Waited two hours.",
        "key": KEY,
        "confirmed": "yes",
    }
    return {name: value for name, value in (values | changes).items() if value is not None}


def url(member):
    return f"/backoffice/members/{member.code}/adjustments/new"


# --- the action -----------------------------------------------------------------------------


@pytest.mark.parametrize(("amount", "after"), [(40, 140), (-40, 60), (-100, 0), (5000, 5100)])
def test_it_moves_the_balance_and_tells_before_and_after(carol, amount, after):
    done = adjust(carol, amount)
    assert (done.before, done.after, done.created) == (Points(100), Points(after), True)
    assert available(carol) == Points(after)


def test_the_audit_log_has_before_after_reason_note_and_name(carol):
    adjust(carol, -40)
    (entry,) = entries()
    assert (entry.actor_label, entry.subject_id) == ("Arthur Gao", carol.code)
    assert entry.before == {"balance": 100}
    assert entry.after == {"balance": 60, "amount": -40, "reason": "goodwill", "note": "Waited two hours."}


def test_the_member_reads_the_reason_and_never_the_note(client, carol):
    adjust(carol, 40, note="He shouted at Mei.")
    sign_in(client, carol)
    english = client.get("/points", headers={"Accept-Language": "en"}).text
    assert "Goodwill" in english
    assert "关怀补偿" in client.get("/points", headers={"Accept-Language": "zh-CN"}).text
    assert "shouted" not in english


def test_a_reason_that_is_reworded_later_stays_in_history_as_it_was(carol, client):
    adjust(carol, 40)
    with transaction():
        terms.change(DeskTerms, {"adjustment_limit": 10, "reasons": {"other": {"en": "Other"}}}, by=SYSTEM, now=NOON)
    sign_in(client, carol)
    assert "Goodwill" in client.get("/points").text


def test_never_below_zero(carol):
    with pytest.raises(InsufficientPoints):
        adjust(carol, -101)
    assert available(carol) == Points(100)
    assert corrections() == []
    assert entries() == []


def test_points_that_are_set_aside_cannot_be_taken(carol):
    with transaction():
        ledger.hold(
            member_id=carol.id,
            amount=Points(80),
            key="order:J1",
            kind="redemption",
            explanation={"code": "opening", "steps": []},
            deadline=None,
            now=NOON,
        )
    with pytest.raises(InsufficientPoints):
        adjust(carol, -21)
    done = adjust(carol, -20)
    assert (done.before, done.after) == (Points(100), Points(80))


def test_expired_points_are_in_neither_figure(carol):
    with transaction():
        give_points(carol.id, 70, key="old", at=NOON - timedelta(days=9), expires_at=NOON - timedelta(days=1))
    assert available(carol) == Points(100)
    assert adjust(carol, -30, expected=Points(100)).before == Points(100)
    assert adjust(carol, 5, expected=Points(70), form_key="another-form-key-x").after == Points(75)


def test_above_the_limit_is_refused_in_both_directions(carol):
    for amount in (5001, -5001, 10**12):
        with pytest.raises(AboveLimit, match="up to 5,000 points"):
            adjust(carol, amount)
    assert corrections() == []


def test_the_limit_is_the_owners_to_change(carol):
    with transaction():
        terms.change(DeskTerms, {"adjustment_limit": 10}, by=SYSTEM, now=NOON)
    with pytest.raises(AboveLimit):
        adjust(carol, 11)
    adjust(carol, 10)
    assert available(carol) == Points(110)


@pytest.mark.parametrize("nonsense", [{"reason": "because"}, {"note": ""}, {"note": " \n "}])
def test_it_needs_a_known_reason_and_a_note(carol, nonsense):
    with pytest.raises(InvalidInput):
        adjust(carol, 5, **nonsense)
    assert corrections() == []


def test_the_same_form_twice_books_once_and_audits_once(carol):
    first, second = adjust(carol, 40), adjust(carol, 40)
    assert (second.before, second.after, second.created) == (first.before, first.after, False)
    assert available(carol) == Points(140)
    assert len(corrections()) == len(entries()) == 1


def test_a_key_with_other_figures_or_for_another_member_is_refused(carol):
    dave = db.session.get(Member, make_member(name="Dave"))
    adjust(carol, 40)
    for member, amount in ((carol, 41), (dave, 40)):
        with pytest.raises(KeyReused):
            adjust(member, amount)
    assert available(carol) == Points(140)
    assert available(dave) == Points(0)
    assert len(entries()) == 1


def test_a_balance_that_moved_since_it_was_shown_is_not_touched(carol):
    with transaction():
        give_points(carol.id, 7, key="meanwhile")
    with pytest.raises(BalanceMoved):
        adjust(carol, 40, expected=Points(100))
    assert available(carol) == Points(107)
    assert entries() == []


def test_parallel_double_submit_books_once(app, carol):
    member_id = carol.id

    def click():
        return adjust(db.session.get(Member, member_id), -40, expected=Points(100))

    results = at_once(app, [click] * 5)
    db.session.rollback()
    assert sum(done.created for done in results) == 1
    assert {(done.before, done.after) for done in results} == {(Points(100), Points(60))}
    assert available(carol) == Points(60)
    assert len(entries()) == 1


# --- the pages ------------------------------------------------------------------------------


def test_the_figures_are_shown_first_and_nothing_is_booked_yet(desk, carol):
    answer = desk.post(url(carol), data=form(confirmed=None))
    assert answer.status_code == 200
    assert "Are these the right figures?" in answer.text
    assert "140" in answer.text
    assert corrections() == []


def test_confirming_books_and_comes_back_to_the_member(desk, carol):
    answer = desk.post(url(carol), data=form(expected="100"))
    assert (answer.status_code, answer.location) == (303, f"/backoffice/members/{carol.code}")
    assert "The balance went from 100 to 140 points." in desk.get(answer.location).text
    assert available(carol) == Points(140)


def test_a_double_click_gives_the_same_answer_twice(desk, carol):
    answers = [desk.post(url(carol), data=form(expected="100")) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert available(carol) == Points(140)


def test_every_form_has_a_key_of_its_own(desk, carol):
    keys = {desk.get(url(carol)).text.partition('name="key"')[2].partition('value="')[2][:16] for _ in range(3)}
    assert len(keys) == 3


def test_full_width_digits_are_digits(desk, carol):
    desk.post(url(carol), data=form(amount=" １２ "))
    assert available(carol) == Points(112)


NO_AMOUNTS = ["0", "００", "-1", "+5", "1.5", "1,000", "1e3", "0x10", "ten", "", " ", "9" * 400, "²", "−1"]


def test_amounts_that_make_no_sense_are_refused_with_the_form_kept(desk, carol):
    for amount in NO_AMOUNTS:
        answer = desk.post(url(carol), data=form(amount=amount))
        assert answer.status_code == 422, amount
        assert "Waited two hours." in answer.text
    assert corrections() == []


def test_a_huge_amount_is_above_the_limit_or_no_amount_at_all(desk, carol):
    for amount, status in ((str(10**14), 409), (str(10**30), 422)):
        for confirmed in ("yes", None):
            assert desk.post(url(carol), data=form(amount=amount, confirmed=confirmed)).status_code == status
    assert corrections() == []


ABSURD = [
    {"direction": "sideways"},
    {"reason": "because"},
    {"reason": ""},
    {"note": ""},
    {"note": "\u202e"},
    {"note": "x" * 501},
    {"key": ""},
    {"key": "short"},
    {"key": "x" * 65},
    {"key": "a key with spaces in it"},
    {"expected": "²"},
    {"expected": "9" * 40},
    {"amount": None},
    {"reason": None},
]


def test_absurd_forms_are_refused(desk, carol):
    for nonsense in ABSURD:
        assert desk.post(url(carol), data=form(**nonsense)).status_code == 422, nonsense
    assert corrections() == []


def test_a_form_with_a_nul_in_it_is_not_read_at_all(desk, carol):
    for field in ("amount", "note", "key", "reason", "direction", "expected"):
        assert desk.post(url(carol), data=form(**{field: "5\x00"})).status_code == 400, field
    assert corrections() == []


def test_a_note_with_invisible_characters_is_kept_without_them(desk, carol):
    desk.post(url(carol), data=form(note="Waited\u200b\x07 long.\r\nSorry\u202e!"))
    assert entries()[0].after["note"] == "Waited long.\nSorry!"


def test_taking_more_than_there_is_says_what_is_missing(desk, carol):
    for confirmed in ("yes", None):
        answer = desk.post(url(carol), data=form(direction="take", amount="130", confirmed=confirmed))
        assert answer.status_code == 409
        assert "30 are missing" in answer.text
    assert available(carol) == Points(100)


def test_somebody_elses_form_key_moves_nothing(desk, carol):
    dave = db.session.get(Member, make_member(name="Dave"))
    desk.post(url(carol), data=form())
    answer = desk.post(url(dave), data=form())
    assert answer.status_code == 409
    assert available(dave) == Points(0)


def test_a_balance_that_moved_shows_the_new_figures_to_confirm(desk, carol):
    answer = desk.post(url(carol), data=form(expected="90"))
    assert answer.status_code == 409
    assert "The balance has changed meanwhile" in answer.text
    assert 'name="expected" value="100"' in answer.text
    assert corrections() == []


def test_only_those_who_may_adjust_reach_the_form(client, carol, auditor, merchant, owner):
    for person, status in ((auditor, 403), (merchant, 403), (carol, 403), (owner, 200)):
        sign_in(client, person)
        assert client.get(url(carol)).status_code == status
    for person in (auditor, merchant, carol):
        sign_in(client, person)
        assert client.post(url(carol), data=form()).status_code == 403
    assert available(carol) == Points(100)


def test_an_unknown_member_is_not_found(desk):
    assert desk.get("/backoffice/members/NOBODY12/adjustments/new").status_code == 404
    assert desk.post("/backoffice/members/NOBODY12/adjustments/new", data=form()).status_code == 404
