"""The page on which a draft is simulated before it is published."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import db
from app.loyalty.ledger.models import Transfer
from app.loyalty.simulation import queries
from app.loyalty.simulation.jobs import run_simulations
from app.loyalty.simulation.models import Simulation
from tests.cast import sign_in
from tests.conftest import NOON
from tests.factories import buy
from tests.loyalty.simulation.past import EarningTerms, draft, simulate

URL = "/backoffice/terms/earning/simulation"
PERIOD = {"first_day": "2026-01-01", "last_day": "2026-06-14"}


@pytest.fixture
def office(client, owner):
    return sign_in(client, owner)


def simulations():
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(Simulation))


def test_without_a_draft_there_is_nothing_to_simulate(office):
    assert "There is no draft to simulate" in office.get(URL).text
    answer = office.post(URL, data=PERIOD)
    assert answer.status_code == 422
    assert "There is no draft" in answer.text
    assert simulations() == 0


def test_a_simulation_is_asked_for_shows_how_far_it_is_and_then_what_it_found(office, members, units):
    buy(members[0], 45000, unit=units[0], at=clock.now().replace(month=3))
    draft(EarningTerms, rate="2")
    transfers = db.session.scalar(sa.select(sa.func.count()).select_from(Transfer))
    answer = office.post(URL, data=PERIOD)
    assert (answer.status_code, answer.location) == (303, URL)
    waiting = office.get(URL, headers={"HX-Request": "true", "HX-Target": "state"}).text
    assert "Waiting for the worker" in waiting
    assert "<html" not in waiting
    run_simulations(now=NOON)
    page = office.get(URL).text
    assert "every 2s" not in page
    assert "Alice Lin" in page
    for figure in ("450", "900", "+450", "+100%", "¥9.00", "Gaining most"):
        assert figure in page
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Transfer)) == transfers


def test_the_publication_offers_to_simulate_first(office):
    draft(EarningTerms, rate="2")
    assert URL in office.get("/backoffice/terms/earning/publication").text


def test_a_draft_that_was_changed_since_is_told_apart(office, members, units):
    buy(members[0], 45000, unit=units[0], at=clock.now().replace(month=3))
    draft(EarningTerms, rate="2")
    first = simulate()
    assert "Not the draft as it is now" not in office.get(URL).text
    draft(EarningTerms, rate="3")
    assert "Not the draft as it is now" in office.get(URL).text
    simulate()
    assert "Not the draft as it is now" not in office.get(URL).text
    assert "Not the draft as it is now" in office.get(f"{URL}/{first.id}").text


def test_a_time_in_which_nothing_was_bought_says_so(office):
    draft(EarningTerms, rate="2")
    simulate()
    assert "Nothing was bought in this time" in office.get(URL).text


def test_a_simulation_that_cannot_go_on_says_so_and_can_be_started_again(office, members, units, monkeypatch):
    buy(members[0], 45000, unit=units[0], at=clock.now().replace(month=3))
    draft(EarningTerms, rate="2")
    with monkeypatch.context() as broken:
        broken.setattr("app.loyalty.simulation.steps.take", lambda *_args, **_more: 1 // 0)
        assert simulate().state == "failed"
    page = office.get(URL).text
    assert "stopped because of an error" in page
    assert simulate().state == "done"
    assert "stopped because of an error" not in office.get(URL).text


def test_a_simulation_can_be_cancelled_and_leaves_no_result(office):
    draft(EarningTerms, rate="2")
    office.post(URL, data=PERIOD)
    assert office.post(f"{URL}/cancellation").status_code == 303
    assert queries.under_way() is None
    assert run_simulations(now=NOON) == 0
    assert queries.latest() == []


@pytest.mark.parametrize(
    "wrong", [{"first_day": "2026-06-14", "last_day": "2026-01-01"}, {"last_day": "2026-12-01"}, {"first_day": "x"}]
)
def test_a_period_that_makes_no_sense_is_refused_with_its_reason(office, wrong):
    draft(EarningTerms, rate="2")
    assert office.post(URL, data=PERIOD | wrong).status_code == 422
    assert simulations() == 0


def test_an_auditor_reads_and_does_not_start(client, auditor):
    draft(EarningTerms, rate="2")
    sign_in(client, auditor)
    page = client.get(URL)
    assert page.status_code == 200
    assert f'action="{URL}' not in page.text
    assert client.post(URL, data=PERIOD).status_code == 403
    assert simulations() == 0


def test_a_merchant_sees_nothing_of_it(client, merchant):
    assert sign_in(client, merchant).get(URL).status_code == 403


def test_no_such_simulation_is_no_page(office):
    assert office.get(f"{URL}/7").status_code == 404
    assert office.get(f"{URL}/{2**70}").status_code == 404


def test_asking_twice_asks_once(office):
    draft(EarningTerms, rate="2")
    for _ in range(2):
        office.post(URL, data=PERIOD)
    assert simulations() == 1
    draft(EarningTerms, rate="3")
    office.post(URL, data=PERIOD)
    db.session.rollback()
    assert sorted(db.session.scalars(sa.select(Simulation.state))) == ["asked", "superseded"]
