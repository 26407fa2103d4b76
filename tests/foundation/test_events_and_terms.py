"""News travels up in the publisher's transaction; terms are data with typed defaults."""

import contextlib
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from app.foundation import events, terms
from app.foundation.actors import SYSTEM
from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput
from tests.conftest import NOON


@dataclass(frozen=True)
class TeaBrewed:
    cups: int


@pytest.fixture
def heard(monkeypatch):
    monkeypatch.setitem(events._handlers, TeaBrewed, [])
    return []


def test_handlers_hear_an_event_at_once_and_in_order(heard):
    events.handles(TeaBrewed)(lambda event: heard.append(("first", event.cups)))
    events.handles(TeaBrewed)(lambda event: heard.append(("second", event.cups)))
    events.publish(TeaBrewed(2))
    assert heard == [("first", 2), ("second", 2)]


def test_a_handler_registered_twice_hears_once(heard):
    for _ in range(2):
        events.handles(TeaBrewed)(heard.append)
    events.publish(TeaBrewed(2))
    assert heard == [TeaBrewed(2)]


def test_news_that_nobody_waits_for_is_no_error(heard):
    events.publish(TeaBrewed(1))
    assert heard == []


def test_a_failing_handler_undoes_what_was_published(app, heard):
    events.handles(TeaBrewed)(lambda _event: 1 / 0)
    with contextlib.suppress(ZeroDivisionError), transaction():
        db.session.add(AuditEntry(**entry()))
        events.publish(TeaBrewed(1))
    assert db.session.scalar(sa.select(sa.func.count(AuditEntry.id))) == 0


def entry():
    texts = dict.fromkeys(("actor_kind", "actor_label", "action", "subject_kind", "subject_id", "subject_label"), "x")
    return {**texts, "at": NOON, "before": {}, "after": {}}


@pytest.fixture
def tea_terms(monkeypatch):
    monkeypatch.setattr(terms, "declared", {})

    @terms.terms("tea", "Tea")
    class TeaTerms:
        cups: int = 3
        sweet: bool = False

        def __post_init__(self):
            if self.cups < 1:
                raise InvalidInput("At least one cup.")

    return TeaTerms


def change(cls, **values):
    with transaction():
        return terms.change(cls, values, by=SYSTEM, now=NOON)


def test_the_defaults_stand_in_code(app, tea_terms):
    assert terms.current(tea_terms) == tea_terms(cups=3, sweet=False)


def test_a_change_holds_from_now_on_and_is_audited(app, tea_terms):
    change(tea_terms, cups=5)
    assert terms.current(tea_terms).cups == 5
    audited = db.session.scalar(sa.select(AuditEntry))
    assert (audited.before, audited.after) == ({"cups": 3}, {"cups": 5})


def test_nonsense_is_refused_and_nothing_changes(app, tea_terms):
    with pytest.raises(InvalidInput, match="one cup"):
        change(tea_terms, cups=0)
    with pytest.raises(InvalidInput):
        change(tea_terms, saucers=1)
    assert terms.current(tea_terms).cups == 3


def test_a_term_that_the_code_no_longer_knows_is_left_alone(app, tea_terms):
    change(tea_terms, cups=5)
    assert terms.current(tea_terms).cups == 5
    with transaction() as session:
        session.scalars(sa.select(terms.TermsVersion).filter_by(version=2)).one().values = {"cups": 6, "old": 1}
    assert terms.current(tea_terms).cups == 5  # read once per request …
    terms.forget()
    assert terms.current(tea_terms).cups == 6  # … and afresh in the next
