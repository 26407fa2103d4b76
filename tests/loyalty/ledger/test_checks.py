"""The nightly proof: what it keeps, whom it tells and when, and the pages that show it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.foundation import clock, jobs
from app.foundation.database import db, transaction
from app.foundation.outbox import OutboxMessage
from app.foundation.points import Growth
from app.loyalty.ledger import checks
from app.loyalty.ledger.jobs import verify_books
from app.loyalty.ledger.models import LedgerCheck
from app.loyalty.ledger.verify_chain import verify_chain
from tests.cast import make_unit, sign_in
from tests.conftest import NOON
from tests.loyalty.ledger.conftest import DAY, make_teller

pytestmark = pytest.mark.tampering
DAMAGE = "UPDATE wallet SET balance = balance + 1 WHERE ledger = 'points' AND member_id = :member"


@pytest.fixture(autouse=True)
def nobody_has_asked(app):
    """The queue outlives a test; what was asked of it does not."""
    forget()
    yield
    forget()


def forget():
    jobs.current_app.extensions["huey"].delete(f"asked:{checks.JOB}")


def damage(teller):
    with transaction() as session:
        session.execute(sa.text(DAMAGE), {"member": teller.member_id})


def check(now=NOON):
    examined = checks.examine()
    with transaction():
        return checks.keep(examined, now=now)


def kept():
    db.session.rollback()
    return list(db.session.scalars(sa.select(LedgerCheck).order_by(LedgerCheck.id)))


def mails():
    return list(db.session.scalars(sa.select(OutboxMessage.payload).order_by(OutboxMessage.id)))


# --- what is kept -----------------------------------------------------------------------------


def test_a_clean_check_keeps_what_it_looked_at_and_writes_to_nobody(alice, owner):
    alice.award(100)
    alice.hold(30, "hold")
    alice.award(7, pending=True)
    made = check()
    assert made.findings == []
    assert made.checks >= 19
    assert made.counts["rows"]["transfer"] == 3
    assert made.counts["wallets"]["points"] == {"balance": 100, "held": 30, "on_the_way": 7, "debt": 0, "frozen": 0}
    assert made.counts["house"] == [{"ledger": "points", "unit_id": None, "account": "issuance", "balance": -100}]
    assert mails() == []


def test_a_finding_says_whose_wallet_it_is(alice, bob, caplog):
    alice.award(100, "purchase")
    bob.award(100)
    with transaction() as session:
        session.execute(sa.text("UPDATE transfer SET balance_after = balance_after + 1 WHERE key = 'purchase'"))
        session.execute(sa.text("UPDATE lot SET amount = amount + 5 WHERE transfer_id = 1"))
    with caplog.at_level(logging.ERROR):
        found = check().findings
    wallet = db.session.scalar(sa.text("SELECT wallet_id FROM transfer WHERE key = 'purchase'"))
    assert {finding["place"].split()[0] for finding in found} >= {"transfer", "lot"}
    # A sum over all accounts is nobody's.
    of_one = [finding for finding in found if not finding["check"].startswith("all accounts of")]
    assert {finding["wallet"] for finding in of_one} == {wallet}
    assert "do not add up" in caplog.text


def test_only_the_last_checks_are_kept(app, monkeypatch):
    monkeypatch.setattr(checks, "KEPT", 3)
    for n in range(5):
        check(NOON + n * DAY)
    assert [row.started_at for row in kept()] == [NOON + n * DAY for n in (2, 3, 4)]


def test_it_looks_without_keeping_anybody_from_writing(app, alice, monkeypatch):
    """While the checks read, somebody earns; the figures are all of the moment before."""
    alice.award(100)
    verify = checks.verify

    def verify_while_somebody_earns():
        report = verify()
        with app.app_context():
            make_teller("bob").award(50)
        return report

    monkeypatch.setattr(checks, "CHECKERS", [verify_while_somebody_earns])
    examined = checks.examine()
    assert examined.findings == []
    assert examined.counts["wallets"]["points"]["balance"] == -examined.counts["house"][0]["balance"] == 100


# --- when it happens --------------------------------------------------------------------------


def at(day, hour, minute=41):
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)  # Shanghai's clock.


def test_it_happens_once_a_night_by_the_programmes_own_clock(app):
    for now in (at(15, 2), at(15, 3), at(15, 4), at(15, 23), at(16, 2), at(16, 3)):
        verify_books(now=now)
    assert [row.started_at for row in kept()] == [at(15, 2), at(15, 3), at(16, 3)][1:]


def test_a_worker_that_was_away_at_night_makes_up_for_it(app):
    verify_books(now=at(15, 3))
    verify_books(now=at(16, 11))
    assert len(kept()) == 2


def test_a_colleague_asks_and_the_worker_checks_once(app, alice):
    alice.award(1)
    verify_books(now=NOON)
    assert jobs.ask(checks.JOB, now=NOON)
    assert not jobs.ask(checks.JOB, now=NOON)
    assert jobs.asked(checks.JOB, now=NOON) == NOON
    app.extensions["jobs"][checks.JOB].call_local()
    assert len(kept()) == 2
    assert jobs.asked(checks.JOB, now=NOON) is None
    app.extensions["jobs"][checks.JOB].call_local()  # What was queued twice finds nothing to do.
    assert len(kept()) == 2


def test_a_worker_that_never_came_back_is_not_waited_for_all_day(app):
    assert jobs.ask(checks.JOB, now=NOON)
    later = NOON + timedelta(hours=2)
    assert jobs.asked(checks.JOB, now=later) is None
    assert jobs.ask(checks.JOB, now=later)


def test_a_check_that_breaks_can_be_asked_for_again(app, monkeypatch):
    def broken():
        raise RuntimeError

    monkeypatch.setattr(checks, "CHECKERS", [broken])
    jobs.ask(checks.JOB, now=NOON)
    with pytest.raises(RuntimeError):
        app.extensions["jobs"][checks.JOB].call_local()
    assert kept() == []
    assert jobs.asked(checks.JOB, now=NOON) is None


# --- whom it tells ----------------------------------------------------------------------------


def test_every_owner_gets_one_mail_an_incident(alice, owner, agent, auditor):
    alice.award(100)
    damage(alice)
    check()
    [mail] = mails()
    assert mail["to"] == owner.email
    assert "has 101, expected 100" in mail["text"]
    assert f"/backoffice/ledger/checks/{kept()[0].id}" in mail["text"]
    alice.award(10)  # The same places next night, with other figures.
    check(NOON + DAY)
    assert len(mails()) == 1


def test_a_new_place_and_a_relapse_are_news(alice, bob, owner):
    alice.award(100)
    bob.award(100)
    damage(alice)
    check()
    damage(bob)
    check(NOON + DAY)
    assert len(mails()) == 2
    assert "has 101" in mails()[1]["text"]
    assert (
        len([line for line in mails()[1]["text"].splitlines() if line.startswith("- ")]) <= len(kept()[1].findings) / 2
    )
    with transaction() as session:
        session.execute(sa.text("UPDATE wallet SET balance = balance - 1 WHERE ledger = 'points'"))
    check(NOON + 2 * DAY)
    assert kept()[-1].findings == []
    damage(alice)
    check(NOON + 3 * DAY)
    assert len(mails()) == 3


def test_more_lines_of_a_wallet_that_is_known_to_be_wrong_are_no_news(alice, owner):
    alice.award(100, "first")
    with transaction() as session:
        session.execute(sa.text("UPDATE transfer SET balance_after = balance_after + 1"))
    check()
    alice.award(10, "second")
    with transaction() as session:
        session.execute(sa.text("UPDATE transfer SET balance_after = balance_after + 1 WHERE key = 'second'"))
    check(NOON + DAY)
    assert len(kept()[1].findings) > len(kept()[0].findings)
    assert len(mails()) == 1


def test_the_mail_speaks_the_owners_language(alice, owner, monkeypatch):
    spoken = []
    force = checks.force_locale
    monkeypatch.setattr(checks, "force_locale", lambda locale: spoken.append(locale) or force(locale))
    with transaction():
        db.session.merge(owner).locale = "zh_Hans"
    alice.award(1)
    damage(alice)
    check()
    assert spoken == ["zh_Hans"]


def test_what_proves_the_hash_chains_can_join_in(alice, owner, monkeypatch):
    """Its findings are of its own kind; it only has to be named."""
    monkeypatch.setattr(checks, "CHECKERS", [checks.verify, verify_chain])
    alice.award(100, "first")
    before = check()
    assert (before.findings, before.counts["rows"]["transfer"]) == ([], 1)
    with transaction() as session:
        session.execute(sa.text("UPDATE transfer SET kind = 'gift'"))  # No figure tells of it.
    [found] = check(NOON + DAY).findings
    assert found["check"] == "a transfer is as it was booked"
    assert found["wallet"] == db.session.scalar(sa.text("SELECT wallet_id FROM transfer"))
    assert "was changed" in mails()[0]["text"]


# --- the pages --------------------------------------------------------------------------------


@pytest.fixture
def desk(client, auditor):
    return sign_in(client, auditor)


def test_owners_and_auditors_read_the_books_and_nobody_else(client, owner, auditor, agent, merchant):
    for person, status in ((owner, 200), (auditor, 200), (agent, 403), (merchant, 403)):
        sign_in(client, person)
        assert client.get("/backoffice/ledger").status_code == status
        assert ("/backoffice/ledger" in client.get("/backoffice/").text) is (status == 200)
        assert client.post("/backoffice/ledger/checks").status_code == (303 if status == 200 else 403)


def test_before_the_first_check_the_page_says_when_it_comes(desk):
    assert "comes by itself tonight" in desk.get("/backoffice/ledger").text


def test_the_page_shows_the_figures_of_the_last_check_and_not_of_now(desk, alice):
    unit = make_unit()
    alice.award(1_000, unit_id=unit.id)
    alice.award(Growth(4_321), "growth")
    alice.spend(250, unit_id=unit.id)
    check()
    alice.award(5_000)
    text = desk.get("/backoffice/ledger").text
    for part in ("The books add up", "750", "Harbour Mall", "+1,000", "−250", "25%", "75%", "−4,321"):
        assert part in text
    assert "The house −750, members +750: together 0." in text
    assert "5,750" not in text


def test_a_page_view_reads_no_transfers(desk, alice):
    alice.award(100)
    check(NOON - timedelta(hours=1))
    seen = []
    listen = lambda *arguments: seen.append(arguments[2])  # noqa: E731
    sa.event.listen(db.engine, "before_cursor_execute", listen)
    desk.get("/backoffice/ledger")
    sa.event.remove(db.engine, "before_cursor_execute", listen)
    assert seen
    assert not [statement for statement in seen if "transfer" in statement or "lot" in statement]


def test_findings_lead_to_the_member(desk, alice, bob):
    alice.award(100)
    bob.award(100)
    damage(alice)
    made = check()
    for address in ("/backoffice/ledger", f"/backoffice/ledger/checks/{made.id}"):
        text = desk.get(address).text
        assert "The books do not add up" in text
        assert "has 101, expected 100" in text
        assert 'href="/backoffice/members/alice"' in text
        assert 'href="/backoffice/members/bob"' not in text


def test_an_unknown_check_is_not_found(desk):
    for number in ("999999", str(2**70)):
        assert desk.get(f"/backoffice/ledger/checks/{number}").status_code == 404


def test_check_now_asks_the_worker_and_the_page_waits(desk, app):
    answer = desk.post("/backoffice/ledger/checks")
    assert (answer.status_code, answer.location) == (303, "/backoffice/ledger")
    assert kept() == []  # Nothing was checked inside the request.
    text = desk.get("/backoffice/ledger").text
    assert "A check is under way" in text
    assert 'hx-trigger="every 3s"' in text
    assert "asked for already" in desk.post("/backoffice/ledger/checks", follow_redirects=True).text
    app.extensions["jobs"][checks.JOB].call_local()
    part = desk.get("/backoffice/ledger", headers={"HX-Request": "true", "HX-Target": "state"}).text
    assert part.lstrip().startswith('<div id="state">')
    assert "The books add up" in part


def test_past_checks_go_on_behind_the_last_one_seen(desk):
    for n in range(12):
        check(NOON + n * DAY)
    first = desk.get("/backoffice/ledger").text
    assert "Jun 26, 2026" in first
    assert "Jun 16, 2026" not in first
    following = first.partition('rel="next" href="')[2].partition('"')[0]
    assert "Jun 16, 2026" in desk.get(following.partition("#")[0]).text


# --- the alarm on the start page --------------------------------------------------------------


def test_the_start_page_raises_the_alarm_for_those_who_may_read_the_books(client, alice, owner, auditor, agent):
    alice.award(100)
    check()
    assert "does not add up" not in sign_in(client, owner).get("/backoffice/").text
    damage(alice)
    check(NOON + timedelta(hours=1))
    for person, told in ((owner, True), (auditor, True), (agent, False)):
        assert ("The points ledger does not add up" in sign_in(client, person).get("/backoffice/").text) is told


def test_a_check_that_is_missing_is_an_alarm_after_a_day_and_a_half(desk, alice):
    alice.award(100)
    check()
    for hours, told in ((36, False), (37, True)):
        with clock.freeze(NOON + timedelta(hours=hours)):
            assert ("has not been checked for a while" in desk.get("/backoffice/").text) is told
            assert ("has not been checked for a while" in desk.get("/backoffice/ledger").text) is told


def test_a_new_house_is_given_time_for_its_first_check(desk, alice):
    with clock.freeze(NOON + 30 * DAY):
        assert "has not been checked" not in desk.get("/backoffice/").text
    alice.award(1)
    with clock.freeze(NOON + timedelta(hours=1)):
        assert "has not been checked" not in desk.get("/backoffice/").text
    with clock.freeze(NOON + 2 * DAY):
        assert "has not been checked" in desk.get("/backoffice/").text
